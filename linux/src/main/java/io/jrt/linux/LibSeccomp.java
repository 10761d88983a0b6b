package io.jrt.linux;

import jnr.ffi.Pointer;
import org.jspecify.annotations.Nullable;

/** The functions of libseccomp; public only because jnr-ffi needs it so. Pointers are addresses. */
public interface LibSeccomp {
  long seccomp_init(int defaultAction);

  void seccomp_release(long context);

  int seccomp_arch_add(long context, int token);

  int seccomp_arch_remove(long context, int token);

  int seccomp_arch_native();

  int seccomp_arch_resolve_name(String name);

  int seccomp_attr_set(long context, int attribute, int value);

  int seccomp_rule_add_array(long context, int action, int syscall, int count, long arguments);

  int seccomp_export_bpf(long context, int fd);

  int seccomp_export_pfc(long context, int fd);

  int seccomp_syscall_resolve_name(String name);

  int seccomp_syscall_resolve_name_arch(int token, String name);

  /** The name, to be given back with {@link #free}; null if unknown. */
  @Nullable Pointer seccomp_syscall_resolve_num_arch(int token, int number);

  /** The C library's, which libseccomp depends on. */
  void free(Pointer memory);

  int seccomp_api_get();

  int seccomp_api_set(int level);

  Pointer seccomp_version();
}
