package io.jrt.linux;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A line of /proc/PID/mountinfo.
 *
 * @param id of the mount; reused after it is gone
 * @param root the directory of the file system that is mounted
 * @param target where, as seen from the process's root
 * @param options per mount, as {@code ro}, {@code nosuid}
 * @param peerGroup of a shared mount
 * @param masterGroup of a slave
 * @param superOptions of the file system
 */
public record MountEntry(
    int id,
    int parent,
    int major,
    int minor,
    String root,
    String target,
    List<String> options,
    OptionalInt peerGroup,
    OptionalInt masterGroup,
    boolean unbindable,
    String fsType,
    String source,
    List<String> superOptions) {

  public boolean isShared() {
    return peerGroup.isPresent();
  }

  public boolean isSlave() {
    return masterGroup.isPresent();
  }

  /** The value of a {@code name=value} option of the file system. */
  public Optional<String> superOption(String name) {
    String prefix = name + "=";
    return superOptions.stream()
        .filter(o -> o.startsWith(prefix))
        .map(o -> o.substring(prefix.length()))
        .findFirst();
  }
}
