package io.jrt.volumes;

import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The named volumes of this node. Records are durable before a call returns; a volume whose making
 * or removal was cut short by a crash is removed at the next start.
 */
public interface NamedVolumes {

  /** Makes a volume, or answers the one there is when it was made by an equal request. */
  VolumeInfo create(VolumeSpec spec);

  /** All volumes, by name. */
  List<VolumeInfo> list();

  Optional<VolumeInfo> find(String name);

  /** Where the files of a volume lie on this node. */
  Optional<Path> path(String name);

  /** Removes a volume; FAILED_PRECONDITION while a container uses it. */
  void remove(String name);

  /** Removes all volumes without a user and says which. */
  List<String> prune();

  /**
   * Counts this container as a user from now on, before it has the volume mounted.
   *
   * @throws io.jrt.errors.JrtException NOT_FOUND for a volume that is not there
   */
  void reserve(String name, String owner);

  /** Forgets what this container used. */
  void release(String owner);

  /** Forgets the uses of all containers but these, after a restart. */
  void retainUsers(Set<String> owners);

  /** Writes the content as a tar stream (POSIX pax). */
  void exportTar(String name, OutputStream to);

  /** Unpacks a tar stream over the content; entries cannot leave the volume. */
  void importTar(String name, InputStream from);
}
