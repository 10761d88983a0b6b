package io.jrt.linux;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Pointer;

/** {@link Seccomp} by libseccomp. */
final class KernelSeccomp implements Seccomp {
  private static final int NR_SCMP_ERROR = -1;

  private final Files files;

  KernelSeccomp(Files files) {
    this.files = files;
  }

  /** Loaded when a filter is first wanted: a daemon without filters needs no library. */
  private static final class Library {
    static final LibSeccomp INSTANCE = load();

    private static LibSeccomp load() {
      Native.load();
      return LibraryLoader.create(LibSeccomp.class).failImmediately().load("seccomp");
    }
  }

  private static LibSeccomp library() {
    try {
      return Library.INSTANCE;
    } catch (LinkageError e) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION,
          "load libseccomp",
          "libseccomp.so.2 cannot be loaded",
          "install the package libseccomp2",
          e);
    }
  }

  private static void check(int result, String call, String argument) {
    if (result < 0) {
      throw new KernelException(call, -result, argument);
    }
  }

  @Override
  public Filter newFilter(int defaultAction) {
    long context = library().seccomp_init(defaultAction);
    if (context == 0) {
      throw new KernelException(
          "seccomp_init", Errno.EINVAL, "action " + Integer.toHexString(defaultAction));
    }
    return new Context(library(), context);
  }

  @Override
  public OptionalInt resolve(String name) {
    int number = library().seccomp_syscall_resolve_name(name);
    return number == NR_SCMP_ERROR ? OptionalInt.empty() : OptionalInt.of(number);
  }

  @Override
  public OptionalInt resolve(int arch, String name) {
    int number = library().seccomp_syscall_resolve_name_arch(arch, name);
    return number == NR_SCMP_ERROR ? OptionalInt.empty() : OptionalInt.of(number);
  }

  @Override
  public OptionalInt resolveArch(String name) {
    int token = library().seccomp_arch_resolve_name(name);
    return token == 0 ? OptionalInt.empty() : OptionalInt.of(token);
  }

  @Override
  public Optional<String> name(int arch, int number) {
    LibSeccomp library = library();
    Pointer name = library.seccomp_syscall_resolve_num_arch(arch, number);
    if (name == null) {
      return Optional.empty();
    }
    try {
      return Optional.of(name.getString(0));
    } finally {
      library.free(name);
    }
  }

  @Override
  public int nativeArch() {
    return library().seccomp_arch_native();
  }

  @Override
  public int api() {
    return library().seccomp_api_get();
  }

  @Override
  public void setApi(int level) {
    check(library().seccomp_api_set(level), "seccomp_api_set", "level " + level);
  }

  @Override
  public String version() {
    Pointer version = library().seccomp_version();
    return version.getInt(0) + "." + version.getInt(4) + "." + version.getInt(8);
  }

  /** One filter context of the library, which is not thread-safe. */
  private final class Context implements Filter {
    private final LibSeccomp library;
    private long address;

    Context(LibSeccomp library, long address) {
      this.library = library;
      this.address = address;
    }

    private long address() {
      if (address == 0) {
        throw new IllegalStateException("seccomp filter is closed");
      }
      return address;
    }

    @Override
    public boolean addArch(int token) {
      int result = library.seccomp_arch_add(address(), token);
      if (result == -Errno.EEXIST.number()) {
        return false;
      }
      check(result, "seccomp_arch_add", Integer.toHexString(token));
      return true;
    }

    @Override
    public boolean removeArch(int token) {
      int result = library.seccomp_arch_remove(address(), token);
      if (result == -Errno.EEXIST.number()) {
        return false;
      }
      check(result, "seccomp_arch_remove", Integer.toHexString(token));
      return true;
    }

    @Override
    public void attribute(int attribute, int value) {
      check(
          library.seccomp_attr_set(address(), attribute, value),
          "seccomp_attr_set",
          "attribute " + attribute);
    }

    @Override
    public void rule(int action, int syscall, List<Argument> arguments) {
      try (Scratch scratch = Scratch.take()) {
        int array = scratch.zeroed(24 * arguments.size());
        for (int i = 0; i < arguments.size(); i++) {
          Argument argument = arguments.get(i);
          int at = array + 24 * i;
          scratch.memory.putInt(at, argument.index());
          scratch.memory.putInt(at + 4, argument.comparison().number());
          scratch.memory.putLong(at + 8, argument.first());
          scratch.memory.putLong(at + 16, argument.second());
        }
        check(
            library.seccomp_rule_add_array(
                address(), action, syscall, arguments.size(), scratch.address(array)),
            "seccomp_rule_add",
            "system call " + syscall);
      }
    }

    @Override
    public byte[] export() {
      try (Fd file = files.memfdCreate("jrt-seccomp", false)) {
        check(library.seccomp_export_bpf(address(), file.value()), "seccomp_export_bpf", "");
        files.lseek(file, 0, Seek.SEEK_SET);
        return files.readAll(file);
      }
    }

    @Override
    public String describe() {
      try (Fd file = files.memfdCreate("jrt-seccomp", false)) {
        check(library.seccomp_export_pfc(address(), file.value()), "seccomp_export_pfc", "");
        files.lseek(file, 0, Seek.SEEK_SET);
        return new String(files.readAll(file), UTF_8);
      }
    }

    @Override
    public void close() {
      if (address != 0) {
        library.seccomp_release(address);
        address = 0;
      }
    }
  }
}
