package io.jrt.server.streaming;

import io.netty.buffer.ByteBuf;

/** What a {@link PortRelay} needs of the protocol that carries it; all on the event loop. */
interface PortWire {
  /** Bytes from the pod, to be sent by the next {@link #flush}; takes the buffer over. */
  void data(ByteBuf bytes);

  /** Sends what was given so far. */
  void flush();

  /** The pod sends nothing more. */
  void endData();

  /** The relay is over; with a text when that is an error. */
  void done(String error);

  /** Whether the client takes more. */
  boolean isWritable();

  /** This relay wants, or wants no more, that nothing is read from the client. */
  void holdInput(PortRelay relay, boolean hold);
}
