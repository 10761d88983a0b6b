package io.jrt.linux;

/**
 * A file system under construction (fsopen(2), fspick(2)): options are set one by one, then it is
 * created and mounted. Errors carry what the kernel wrote to the context's log.
 */
public interface FsContext extends AutoCloseable {
  FsContext flag(String key);

  FsContext string(String key, String value);

  FsContext binary(String key, byte[] value);

  FsContext path(String key, Fd dir, String path);

  FsContext fd(String key, Fd value);

  /** Makes the superblock (FSCONFIG_CMD_CREATE). */
  FsContext create();

  /** Applies the changed options to the picked superblock (FSCONFIG_CMD_RECONFIGURE). */
  FsContext reconfigure();

  /**
   * The mount, attached nowhere.
   *
   * @param attributes {@code MOUNT_ATTR_*} bits
   */
  Fd mount(long attributes);

  @Override
  void close();
}
