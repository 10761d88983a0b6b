package io.jrt.server.rpc;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.unix.PeerCredentials;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stands first at a listening unix socket and hangs up on every process that is not root's or the
 * daemon's own user's, whatever became of the socket file's mode.
 */
final class PeerCheck extends ChannelInboundHandlerAdapter {
  private static final Logger log = LoggerFactory.getLogger(PeerCheck.class);

  private final int ownUid;

  PeerCheck(int ownUid) {
    this.ownUid = ownUid;
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

  private boolean allowed(EpollDomainSocketChannel peer) {
    try {
      PeerCredentials who = peer.peerCredentials();
      if (who.uid() == 0 || who.uid() == ownUid) {
        return true;
      }
      log.warn("refused a connection of process {} of user {}", who.pid(), who.uid());
    } catch (IOException e) {
      log.warn("refused a connection whose process cannot be told: {}", e.toString());
    }
    return false;
  }
}
