package io.jrt.server.rpc;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.unix.PeerCredentials;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stands first at a listening unix socket and hangs up on every process that is not root's or the
 * daemon's own user's, nor of a member of the socket's group, whatever became of the socket file's
 * mode.
 */
final class PeerCheck extends ChannelInboundHandlerAdapter {
  private static final Logger log = LoggerFactory.getLogger(PeerCheck.class);

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

  /** By the groups of the process: those besides its main one the kernel tells by its id only. */
  private boolean isMember(PeerCredentials who) throws IOException {
    if (group.isEmpty()) {
      return false;
    }
    for (int gid : who.gids()) {
      if (gid == group.getAsInt()) {
        return true;
      }
    }
    String wanted = Integer.toString(group.getAsInt());
    return Files.readAllLines(Path.of("/proc", Integer.toString(who.pid()), "status")).stream()
        .filter(line -> line.startsWith("Groups:"))
        .flatMap(line -> Stream.of(line.split("\\s+")))
        .anyMatch(wanted::equals);
  }

  private boolean allowed(EpollDomainSocketChannel peer) {
    try {
      PeerCredentials who = peer.peerCredentials();
      if (who.uid() == 0 || who.uid() == ownUid || isMember(who)) {
        return true;
      }
      log.warn("refused a connection of process {} of user {}", who.pid(), who.uid());
    } catch (IOException e) {
      log.warn("refused a connection whose process cannot be told: {}", e.toString());
    }
    return false;
  }
}
