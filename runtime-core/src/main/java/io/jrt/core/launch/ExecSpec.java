package io.jrt.core.launch;

/**
 * A further process in a running container: in all of its namespaces, with its own ids,
 * capabilities and filter.
 *
 * @param cgroup usually the container's; one of its own below it makes {@link LiveExec#killAll}
 *     exact
 * @param clampUnpermitted as in {@link LaunchSpec}
 */
public record ExecSpec(ProcessSpec process, CgroupPlacement cgroup, boolean clampUnpermitted) {}
