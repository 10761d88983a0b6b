package io.jrt.errors;

/** What class of failure an error is: what a caller can do about it, not where it happened. */
public enum ErrorKind {
  /** The named object does not exist. */
  NOT_FOUND,
  /** An object of that name exists and is not the one asked for. */
  ALREADY_EXISTS,
  /** The request, an image, a file or a configuration is wrong in itself; a retry cannot help. */
  INVALID,
  /** The object is in a state in which this cannot be done; another call must come first. */
  FAILED_PRECONDITION,
  /** Something outside (a registry, a plugin) does not answer or is failing; a retry may help. */
  UNAVAILABLE,
  /** Credentials are missing or were refused. */
  UNAUTHENTICATED,
  /** Forbidden by policy, by the kernel or by a registry for these credentials. */
  DENIED,
  /** No disk space or no inodes. */
  NO_SPACE,
  /** A limit other than disk was reached: descriptors, pids, tokens, a rate limit. */
  EXHAUSTED,
  /** The deadline passed. */
  DEADLINE,
  /** The caller went away or asked to stop. */
  CANCELLED,
  /** Not built, or not possible on this kernel. */
  UNIMPLEMENTED,
  /** Stored bytes are not what they must be. */
  DATA_LOSS,
  /** A fault of jrt itself. */
  INTERNAL
}
