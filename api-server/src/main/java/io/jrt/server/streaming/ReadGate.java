package io.jrt.server.streaming;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;

/**
 * Lets nothing ask for more input while the channel's auto-read is off. Stands before the SPDY
 * codec, which hands its frames on past the bookkeeping of its base class: that takes every read
 * for one without a frame and asks for the next, so that turning auto-read off holds nobody.
 *
 * <p>Turning auto-read on again asks for input by itself, so nothing has to be remembered here.
 */
final class ReadGate extends ChannelOutboundHandlerAdapter {

  @Override
  public void read(ChannelHandlerContext ctx) {
    if (ctx.channel().config().isAutoRead()) {
      ctx.read();
    }
  }
}
