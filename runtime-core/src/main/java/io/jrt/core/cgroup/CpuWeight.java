package io.jrt.core.cgroup;

/** From the cpu shares of v1, which requests speak in, to the weight of v2. */
final class CpuWeight {
  private CpuWeight() {}

  /**
   * Weight 1 to 10000 for shares 2 to 262144, such that 1024 shares, the usual, become 100, the
   * usual weight: a quadratic in the logarithm through the three points, as the OCI runtimes have
   * it since 2025 (their linear formula before made the usual container 39).
   *
   * @return 0 when nothing is asked for
   */
  static long ofShares(long shares) {
    if (shares == 0) {
      return 0;
    }
    if (shares <= 2) {
      return 1;
    }
    if (shares >= 262144) {
      return 10000;
    }
    double l = Math.log((double) shares) / Math.log(2);
    double exponent = (l * l + 125 * l) / 612 - 7.0 / 34;
    // log2 of a power of two may come out a little off; an integer result must not be rounded up.
    return (long) Math.ceil(Math.pow(10, exponent) - 1e-9);
  }
}
