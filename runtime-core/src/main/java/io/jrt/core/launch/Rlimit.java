package io.jrt.core.launch;

/**
 * One resource limit; -1 is "no limit".
 *
 * @param resource the kernel's RLIMIT_* number
 */
public record Rlimit(int resource, long soft, long hard) {}
