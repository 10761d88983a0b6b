package io.jrt.core;

import java.util.List;

/**
 * What the daemon can do here.
 *
 * @param protections one sentence for each of the kernel's means that containers are held by here
 * @param limitations one sentence for each thing that this machine's kernel or privileges do not
 *     allow
 * @param recovered what the recovery at start found and did, one sentence each
 */
public record RuntimeInfo(
    String cgroupDriver,
    int cgroupVersion,
    boolean userNamespaces,
    boolean recursiveReadOnlyMounts,
    List<String> runtimeHandlers,
    List<String> protections,
    List<String> limitations,
    List<String> recovered) {}
