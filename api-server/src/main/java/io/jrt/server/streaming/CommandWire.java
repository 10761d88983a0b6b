package io.jrt.server.streaming;

import io.jrt.core.io.OutputStreamKind;
import io.netty.channel.EventLoop;
import java.nio.ByteBuffer;

/** The way from a {@link RemoteCommand} to its client, in one protocol. */
interface CommandWire {

  /** Sends output, always all of it; answers whether more is welcome. Any thread. */
  boolean output(OutputStreamKind stream, ByteBuffer bytes);

  /** Nothing more comes on that stream. Any thread. */
  void end(OutputStreamKind stream);

  /** Sends the status and closes the connection after all that was sent before. Any thread. */
  void finish(CommandStatus status);

  /** Whether the connection takes more output. */
  boolean isWritable();

  /** Stops or goes on with reading from the client. */
  void holdInput(boolean hold);

  /** Where all that comes from the client happens. */
  EventLoop eventLoop();

  /** The client is joined to the process, on the event loop. */
  default void joined() {}
}
