package io.jrt.core;

/** Pressure of one resource, from the kernel's pressure files. */
public record Psi(Share some, Share full) {

  /**
   * One line of a pressure file; averages are percentages.
   *
   * @param totalMicros time stalled since the beginning
   */
  public record Share(long totalMicros, double avg10, double avg60, double avg300) {}
}
