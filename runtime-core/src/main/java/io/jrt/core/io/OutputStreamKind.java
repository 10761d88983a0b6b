package io.jrt.core.io;

/** One of the two outputs of a process; with a terminal everything is {@link #STDOUT}. */
public enum OutputStreamKind {
  STDOUT("stdout"),
  STDERR("stderr");

  private final String label;

  OutputStreamKind(String label) {
    this.label = label;
  }

  /** The word that CRI logs and clients use. */
  public String label() {
    return label;
  }
}
