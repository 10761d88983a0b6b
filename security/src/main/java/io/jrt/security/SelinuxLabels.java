package io.jrt.security;

/**
 * The labels of one container. Both are empty where SELinux is off, and then nothing is to be
 * labelled.
 *
 * @param process what the container's first process runs as
 * @param mount what its root file system and its relabelled volumes carry
 */
public record SelinuxLabels(String process, String mount) {

  /** Nothing is labelled. */
  public static final SelinuxLabels NONE = new SelinuxLabels("", "");
}
