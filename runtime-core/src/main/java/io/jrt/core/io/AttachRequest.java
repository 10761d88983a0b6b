package io.jrt.core.io;

/** Which streams of a container a client wants; at least one. */
public record AttachRequest(boolean stdin, boolean stdout, boolean stderr) {
  public AttachRequest {
    if (!stdin && !stdout && !stderr) {
      throw new IllegalArgumentException("no stream asked for");
    }
  }
}
