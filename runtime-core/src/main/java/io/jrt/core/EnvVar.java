package io.jrt.core;

/** One environment variable; the value is bytes from the request to {@code execve}. */
public record EnvVar(String name, Bytes value) {
  public static EnvVar of(String name, String value) {
    return new EnvVar(name, Bytes.of(value));
  }
}
