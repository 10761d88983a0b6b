package io.jrt.core.launch;

import java.nio.file.Path;
import java.util.function.IntConsumer;

/**
 * A stop in the launch of a container for programs of the host that must see it: its namespaces,
 * mounts and devices are there, its root is not changed yet.
 *
 * @param place an empty directory of the host where, in the container's mount namespace, its root
 *     file system lies meanwhile
 * @param run called with the pid of the waiting process; what it throws ends the launch
 */
public record RootfsGate(Path place, IntConsumer run) {}
