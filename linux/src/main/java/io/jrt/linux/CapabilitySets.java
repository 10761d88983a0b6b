package io.jrt.linux;

/** A thread's capabilities, one bit each, bit N being capability N. */
public record CapabilitySets(long effective, long permitted, long inheritable) {
  public boolean hasEffective(int capability) {
    return (effective >>> capability & 1) != 0;
  }
}
