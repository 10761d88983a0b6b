package io.jrt.core;

/**
 * A limit on huge pages of one size.
 *
 * @param pageSize such as {@code 2MB} or {@code 1GB}
 * @param limit bytes, unsigned
 */
public record HugepageLimit(String pageSize, long limit) {}
