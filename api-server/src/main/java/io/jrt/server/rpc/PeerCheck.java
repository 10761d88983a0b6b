package io.jrt.server.rpc;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.unix.PeerCredentials;
import io.netty.channel.unix.RawUnixChannelOption;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stands first at a listening unix socket and hangs up on every process that is not root's or the
 * daemon's own user's, nor of a member of the socket's group, whatever became of the socket file's
 * mode.
 */
final class PeerCheck extends ChannelInboundHandlerAdapter {
  private static final Logger log = LoggerFactory.getLogger(PeerCheck.class);

  private static final int SOL_SOCKET = 1;
  private static final int SO_PEERGROUPS = 59;

  /** As many as a process can have (NGROUPS_MAX), or the kernel gives none. */
  private static final RawUnixChannelOption PEER_GROUPS =
      new RawUnixChannelOption("SO_PEERGROUPS", SOL_SOCKET, SO_PEERGROUPS, 65_536 * Integer.BYTES);

  private final int ownUid;
  private final OptionalInt group;

  PeerCheck(int ownUid, OptionalInt group) {
    this.ownUid = ownUid;
    this.group = group;
  }

  /** What a listening channel reads are the connections that were made to it. */
  @Override
  public void channelRead(ChannelHandlerContext context, Object connection) throws Exception {
    if (connection instanceof EpollDomainSocketChannel peer && !allowed(peer)) {
      peer.unsafe().closeForcibly();
    } else {
      super.channelRead(context, connection);
    }
  }

  /**
   * By the groups that the process had when it connected, which the kernel keeps with the
   * connection: its number may be another process's by now.
   */
  private boolean isMember(EpollDomainSocketChannel peer, PeerCredentials who) {
    if (group.isEmpty()) {
      return false;
    }
    int wanted = group.getAsInt();
    for (int gid : who.gids()) {
      if (gid == wanted) {
        return true;
      }
    }
    // The kernel fills in as many as there are; what follows is zeros, which name no member.
    IntBuffer others =
        peer.config().getOption(PEER_GROUPS).clear().order(ByteOrder.nativeOrder()).asIntBuffer();
    while (wanted != 0 && others.hasRemaining()) {
      if (others.get() == wanted) {
        return true;
      }
    }
    return false;
  }

  private boolean allowed(EpollDomainSocketChannel peer) {
    try {
      PeerCredentials who = peer.peerCredentials();
      if (who.uid() == 0 || who.uid() == ownUid || isMember(peer, who)) {
        return true;
      }
      log.warn("refused a connection of process {} of user {}", who.pid(), who.uid());
    } catch (IOException e) {
      log.warn("refused a connection whose process cannot be told: {}", e.toString());
    }
    return false;
  }
}
