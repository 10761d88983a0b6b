package io.jrt.security;

/**
 * A system call that a filter denied, from the kernel's log.
 *
 * @param pid of the caller, as the node counts
 * @param command the caller's short name
 * @param executable its file
 * @param systemCall by name, or the number where nothing knows it
 * @param action the {@code SECCOMP_RET_*} value
 */
public record SeccompDenial(
    int pid, String command, String executable, String systemCall, int action) {}
