package io.jrt.linux;

/**
 * The functions of the C library that jrt binds, bound by jnr-ffi; pointers are plain addresses.
 * Public only because jnr-ffi generates its subclass in another package.
 *
 * <p>Almost everything goes through {@code syscall}: one binding starts faster than a hundred, and
 * neither the version nor the make of the C library matters (the wrappers of the mount and pidfd
 * calls are younger than the calls, and some wrappers, as setresuid's, act on all threads).
 *
 * <p>No method has exactly six parameters: the x86-64 stubs of jnr-ffi pass a wrong sixth one
 * (jnr-ffi issue 181). {@link Native} switches those stubs off as well.
 */
public interface Libc {
  long syscall(long number, long a, long b, long c, long d, long e, long f);

  long syscall(long number, long a, long b, long c, long d);

  /** The seventh argument is not the function's: see above. */
  int posix_spawn(
      long pid, long path, long fileActions, long attributes, long argv, long envp, long unused);

  int posix_spawn_file_actions_init(long actions);

  int posix_spawn_file_actions_destroy(long actions);

  int posix_spawn_file_actions_adddup2(long actions, int from, int to);

  int posix_spawn_file_actions_addclose(long actions, int fd);

  int posix_spawn_file_actions_addclosefrom_np(long actions, int from);

  int posix_spawnattr_init(long attributes);

  int posix_spawnattr_destroy(long attributes);

  int posix_spawnattr_setflags(long attributes, short flags);

  int posix_spawnattr_setsigdefault(long attributes, long set);

  int posix_spawnattr_setsigmask(long attributes, long set);
}
