package io.jrt.core;

/**
 * Huge pages of one size that a container uses.
 *
 * @param pageSize as the hugetlb controller has it: {@code 2MB}
 * @param usage bytes
 * @param failures how often its limit kept it from having more
 */
public record HugepageStats(String pageSize, long usage, long failures) {}
