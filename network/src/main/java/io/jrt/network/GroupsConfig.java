package io.jrt.network;

/**
 * Runtime groups: pods reach only pods that share a group with them.
 *
 * @param enabled off by default
 * @param label the pod label that names its groups, separated by {@code .} or {@code ,}; a pod
 *     without it is in the group {@code default}
 */
public record GroupsConfig(boolean enabled, String label) {
  public static final GroupsConfig DEFAULT = new GroupsConfig(false, "jrt.io/group");
}
