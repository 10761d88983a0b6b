package io.jrt.core;

/** Whether the image's /etc/group adds to the supplementary groups that were asked for. */
public enum SupplementalGroupsPolicy {
  MERGE,
  STRICT
}
