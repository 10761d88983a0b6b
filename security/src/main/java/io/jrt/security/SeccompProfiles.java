package io.jrt.security;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.Files;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import io.jrt.linux.OpenFlags;
import io.jrt.linux.Stat;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** Finds profiles, and compiles each once for a set of capabilities. */
final class SeccompProfiles {
  private static final String STEP = "read seccomp profile";
  private static final String DEFAULT_ORIGIN = "runtime/default";
  private static final String DEFAULT_RESOURCE = "seccomp-default.json";

  /** Some profiles of a node times some capability sets; a filter has about 10 KB. */
  private static final int CACHED = 128;

  private final Kernel kernel;
  private final Object lock = new Object();
  private final Map<Key, SeccompFilter> cache = new LinkedHashMap<>(16, 0.75f, true);
  private Optional<SeccompProfile> defaultProfile = Optional.empty();
  private Optional<SeccompCompiler> compiler = Optional.empty();

  private record Key(String origin, String digest, long capabilities, boolean explain) {}

  SeccompProfiles(Kernel kernel) {
    this.kernel = kernel;
  }

  Optional<SeccompFilter> filter(SecurityProfile profile, long capabilities, boolean explain) {
    return switch (profile) {
      case SecurityProfile.Unconfined() -> Optional.empty();
      case SecurityProfile.RuntimeDefault() ->
          Optional.of(
              compiled(new Key(DEFAULT_ORIGIN, "", capabilities, explain), this::runtimeDefault));
      case SecurityProfile.Localhost(String reference) -> {
        byte[] json = read(reference);
        Key key = new Key(reference, sha256(json), capabilities, explain);
        yield Optional.of(compiled(key, () -> SeccompProfileReader.read(reference, json)));
      }
    };
  }

  private interface Source {
    SeccompProfile profile();
  }

  private SeccompFilter compiled(Key key, Source source) {
    // One at a time: pods that start together mostly want the same filter.
    synchronized (lock) {
      SeccompFilter known = cache.get(key);
      if (known != null) {
        return known;
      }
      SeccompFilter filter =
          compiler().compile(source.profile(), key.capabilities(), key.explain());
      cache.put(key, filter);
      if (cache.size() > CACHED) {
        cache.remove(cache.keySet().iterator().next());
      }
      return filter;
    }
  }

  private SeccompProfile runtimeDefault() {
    if (defaultProfile.isEmpty()) {
      defaultProfile = Optional.of(SeccompProfileReader.read(DEFAULT_ORIGIN, defaultJson()));
    }
    return defaultProfile.orElseThrow();
  }

  /** The built-in profile, as shipped. */
  static byte[] defaultJson() {
    try (InputStream in = SeccompProfiles.class.getResourceAsStream(DEFAULT_RESOURCE)) {
      if (in == null) {
        throw new JrtException(ErrorKind.INTERNAL, STEP, DEFAULT_RESOURCE + " is not in the jar");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private SeccompCompiler compiler() {
    if (compiler.isEmpty()) {
      String release = kernel.files().readString(Fd.CWD, "/proc/sys/kernel/osrelease");
      compiler = Optional.of(new SeccompCompiler(kernel.seccomp(), KernelVersion.parse(release)));
    }
    return compiler.orElseThrow();
  }

  private byte[] read(String reference) {
    Path path = Path.of(reference);
    if (!path.isAbsolute()) {
      throw new JrtException(
          ErrorKind.INVALID, STEP, "seccomp profile \"%s\" is no absolute path".formatted(path));
    }
    Files files = kernel.files();
    // O_NONBLOCK: a fifo put in a profile's place must not hold the pod up.
    try (Fd file = files.open(path, OpenFlags.O_RDONLY | OpenFlags.O_NONBLOCK)) {
      Stat stat = files.fstat(file);
      if (!stat.isRegular() || stat.size() > SeccompProfileReader.MAX_BYTES) {
        throw new JrtException(
            ErrorKind.INVALID,
            STEP,
            "seccomp profile %s is no regular file of at most %d bytes"
                .formatted(path, SeccompProfileReader.MAX_BYTES));
      }
      // The size may change while we read, so the limit holds here too.
      ByteBuffer content = ByteBuffer.allocate(SeccompProfileReader.MAX_BYTES + 1);
      while (content.hasRemaining() && files.read(file, content) > 0) {
        // reads on until the end
      }
      return Arrays.copyOf(content.array(), content.position());
    } catch (KernelException e) {
      ErrorKind kind = e.is(Errno.ENOENT, Errno.ENOTDIR) ? ErrorKind.NOT_FOUND : ErrorKind.INVALID;
      throw new JrtException(
          kind, STEP, "cannot read seccomp profile %s: %s".formatted(path, e.errno()), e);
    }
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
