package io.jrt.volumes;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.json.PlainRecords;
import io.jrt.linux.At;
import io.jrt.linux.Errno;
import io.jrt.linux.FailPoints;
import io.jrt.linux.Fd;
import io.jrt.linux.Files;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import io.jrt.linux.OpenFlags;
import io.jrt.volumes.spi.VolumeDriver;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The named volumes, each a directory {@code volumes/NAME} with {@code volume.json}, {@code
 * users.json} and {@code data}.
 *
 * <p>A volume comes and goes by one rename: it is made under a name that begins with {@code .new-}
 * and removed under one with {@code .gone-}; whatever has such a name at the start is left over
 * from a crash.
 */
final class LocalVolumes implements NamedVolumes {
  private static final Logger LOG = LoggerFactory.getLogger(LocalVolumes.class);
  private static final String STEP = "volume";
  private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}");
  private static final String RECORD = "volume.json";
  private static final String USERS = "users.json";
  private static final String DATA = "data";
  private static final String NEW = ".new-";
  private static final String GONE = ".gone-";

  /** After so many bytes of an archive it is seen whether the volume is full. */
  private static final int CHECKED_BYTES = 256 << 10;

  private final Files files;
  private final FailPoints failPoints;
  private final Path directory;
  private final Fd top;
  private final DirectoryQuota quota;
  private final Map<String, VolumeDriver> drivers = new HashMap<>();
  private final JsonMapper json = JsonMapper.builder().addModule(new PlainRecords()).build();
  private final Object lock = new Object();
  private final Map<String, Volume> volumes = new TreeMap<>();

  private static final class Volume {
    private final VolumeRecord record;
    private final Set<String> users;

    Volume(VolumeRecord record, Set<String> users) {
      this.record = record;
      this.users = new TreeSet<>(users);
    }
  }

  private record Users(List<String> users) {}

  LocalVolumes(Kernel kernel, Path root, DirectoryQuota quota) {
    this.files = kernel.files();
    this.failPoints = kernel.failPoints();
    this.quota = quota;
    this.directory = root.resolve("volumes");
    VolumeDriver local = new LocalDriver(quota);
    drivers.put(local.name(), local);
    ServiceLoader.load(VolumeDriver.class).forEach(d -> drivers.putIfAbsent(d.name(), d));
    makeDirectories(root);
    this.top = files.openDirectory(directory);
    load();
  }

  private void makeDirectories(Path root) {
    try {
      java.nio.file.Files.createDirectories(root);
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION, STEP, "cannot make %s: %s".formatted(root, e), e);
    }
    try (Fd dir = files.openDirectory(root)) {
      files.mkdirIfAbsent(dir, "volumes", 0711);
      files.fsync(dir);
    }
  }

  private void load() {
    for (var entry : files.list(top)) {
      String name = entry.name().toString();
      if (name.startsWith(NEW) || name.startsWith(GONE)) {
        LOG.info("removing {}, left over from an interrupted operation", name);
        removeLeftover(name);
      } else if (NAME.matcher(name).matches()) {
        try {
          volumes.put(name, read(name));
        } catch (KernelException | JacksonException | JrtException e) {
          // Kept on disk for its data; without a record nothing may use or remove it.
          LOG.error("volume {} cannot be read and is left alone: {}", name, e.getMessage());
        }
      }
    }
  }

  private void removeLeftover(String name) {
    try {
      VolumeRecord record = read(name).record;
      driver(record).remove(record.name(), directory.resolve(name).resolve(DATA));
    } catch (KernelException | JacksonException | JrtException e) {
      LOG.debug("{} has no usable record: {}", name, e.getMessage());
    }
    files.removeTree(top, name);
  }

  private Volume read(String name) {
    VolumeRecord record =
        json.readValue(files.readFile(top, name + "/" + RECORD), VolumeRecord.class);
    if (record == null || record.version() > VolumeRecord.VERSION || !hasName(record, name)) {
      throw new JrtException(
          ErrorKind.DATA_LOSS,
          STEP,
          "%s/%s is no record of it that this daemon knows".formatted(name, RECORD));
    }
    List<String> users;
    try {
      users = json.readValue(files.readFile(top, name + "/" + USERS), Users.class).users();
    } catch (KernelException e) {
      if (!e.is(Errno.ENOENT)) {
        throw e;
      }
      users = List.of();
    }
    return new Volume(record, Set.copyOf(users));
  }

  private static boolean hasName(VolumeRecord record, String directory) {
    String name = record.name();
    return name != null
        && (directory.equals(name)
            || directory.equals(NEW + name)
            || directory.equals(GONE + name));
  }

  // The interface --------------------------------------------------------------------------------

  @Override
  public VolumeInfo create(VolumeSpec spec) {
    checkName(spec.name());
    if (spec.sizeBytes() < 0) {
      throw new JrtException(
          ErrorKind.INVALID, STEP, "volume %s has a negative size".formatted(spec.name()));
    }
    synchronized (lock) {
      Volume present = volumes.get(spec.name());
      if (present != null) {
        if (present.record.spec().equals(spec)) {
          return info(present);
        }
        throw new JrtException(
            ErrorKind.ALREADY_EXISTS,
            STEP,
            "volume %s exists and is not as asked for".formatted(spec.name()));
      }
      VolumeRecord record =
          new VolumeRecord(
              VolumeRecord.VERSION,
              spec.name(),
              spec.driver(),
              spec.sizeBytes(),
              spec.labels(),
              spec.options(),
              Instant.now().toString());
      VolumeDriver driver = driver(record);
      String making = NEW + spec.name();
      files.removeTree(top, making);
      files.mkdirat(top, making, 0711);
      try (Fd dir = files.openDirectory(directory.resolve(making))) {
        files.mkdirat(dir, DATA, 0755);
        driver.create(
            spec.name(), directory.resolve(making).resolve(DATA), spec.sizeBytes(), spec.options());
        write(dir, RECORD, record);
        failPoints.hit("volume-create.show");
        files.renameat2(top, making, top, spec.name(), At.RENAME_NOREPLACE);
        files.fsync(top);
      } catch (Throwable e) {
        removeLeftover(making);
        throw e;
      }
      Volume volume = new Volume(record, Set.of());
      volumes.put(spec.name(), volume);
      return info(volume);
    }
  }

  @Override
  public List<VolumeInfo> list() {
    synchronized (lock) {
      return volumes.values().stream().map(this::info).toList();
    }
  }

  @Override
  public Optional<VolumeInfo> find(String name) {
    synchronized (lock) {
      return Optional.ofNullable(volumes.get(name)).map(this::info);
    }
  }

  @Override
  public Optional<Path> path(String name) {
    return find(name).map(found -> directory.resolve(found.spec().name()).resolve(DATA));
  }

  @Override
  public void remove(String name) {
    synchronized (lock) {
      Volume volume = get(name);
      if (!volume.users.isEmpty()) {
        throw new JrtException(
            ErrorKind.FAILED_PRECONDITION,
            STEP,
            "volume %s is in use by %s".formatted(name, String.join(", ", volume.users)),
            "remove the containers first",
            null);
      }
      String gone = GONE + name;
      files.removeTree(top, gone);
      files.renameat2(top, name, top, gone, At.RENAME_NOREPLACE);
      files.fsync(top);
      volumes.remove(name);
      try {
        failPoints.hit("volume-remove.delete");
        driver(volume.record).remove(name, directory.resolve(gone).resolve(DATA));
        files.removeTree(top, gone);
      } catch (JrtException | KernelException e) {
        // It is nobody's volume any more: what is left of it goes at the next start.
        LOG.warn("what volume {} held cannot be deleted now: {}", name, e.getMessage());
      }
    }
  }

  @Override
  public List<String> prune() {
    List<String> removed = new ArrayList<>();
    synchronized (lock) {
      for (Volume volume : List.copyOf(volumes.values())) {
        if (volume.users.isEmpty()) {
          remove(volume.record.name());
          removed.add(volume.record.name());
        }
      }
    }
    return removed;
  }

  /** The directory with the content; from now on this owner counts as a user. */
  Path use(String name, String owner) {
    synchronized (lock) {
      reserve(name, owner);
      VolumeRecord record = get(name).record;
      Path data = directory.resolve(name).resolve(DATA);
      return driver(record).activate(name, data, record.options());
    }
  }

  @Override
  public void reserve(String name, String owner) {
    synchronized (lock) {
      Volume volume = get(name);
      if (volume.users.add(owner)) {
        try {
          writeUsers(volume);
        } catch (Throwable e) {
          volume.users.remove(owner);
          throw e;
        }
      }
    }
  }

  @Override
  public void release(String owner) {
    synchronized (lock) {
      for (Volume volume : volumes.values()) {
        if (volume.users.remove(owner)) {
          forgotten(volume);
        }
      }
    }
  }

  @Override
  public void retainUsers(Set<String> owners) {
    synchronized (lock) {
      for (Volume volume : volumes.values()) {
        if (volume.users.retainAll(owners)) {
          forgotten(volume);
        }
      }
    }
  }

  private void forgotten(Volume volume) {
    writeUsers(volume);
    if (volume.users.isEmpty()) {
      String name = volume.record.name();
      driver(volume.record).deactivate(name, directory.resolve(name).resolve(DATA));
    }
  }

  @Override
  public void exportTar(String name, OutputStream to) {
    withContent(name, data -> new TarWriter(files, to).write(data));
  }

  @Override
  public void importTar(String name, InputStream from) {
    withContent(name, data -> new TarReader(files, limited(name, from)).unpack(data));
  }

  /** The quota of ext4 does not hold who has CAP_SYS_RESOURCE, as the daemon may. */
  private InputStream limited(String name, InputStream from) {
    Path data = directory.resolve(name).resolve(DATA);
    return new FilterInputStream(from) {
      private long unchecked;

      @Override
      public int read() throws IOException {
        int one = super.read();
        count(one < 0 ? 0 : 1);
        return one;
      }

      @Override
      public int read(byte[] into, int offset, int length) throws IOException {
        int read = super.read(into, offset, length);
        count(Math.max(read, 0));
        return read;
      }

      private void count(int bytes) {
        unchecked += bytes;
        if (unchecked < CHECKED_BYTES) {
          return;
        }
        unchecked = 0;
        Optional<VolumeUsage> usage = quota.usage(data);
        if (usage.isPresent()
            && usage.get().byteLimit() > 0
            && usage.get().bytes() > usage.get().byteLimit()) {
          throw new JrtException(
              ErrorKind.NO_SPACE,
              STEP,
              "volume %s may hold %d bytes and the archive has more"
                  .formatted(name, usage.get().byteLimit()));
        }
      }
    };
  }

  private interface ContentWork {
    void accept(Fd data);
  }

  /** Works on the content outside the lock; a use of our own keeps the volume from going. */
  private void withContent(String name, ContentWork work) {
    String owner = "jrt-tar-" + Thread.currentThread().threadId();
    Path path = use(name, owner);
    try (Fd data = files.openDirectory(path)) {
      work.accept(data);
    } finally {
      release(owner);
    }
  }

  // Records --------------------------------------------------------------------------------------

  private Volume get(String name) {
    checkName(name);
    Volume volume = volumes.get(name);
    if (volume == null) {
      throw new JrtException(ErrorKind.NOT_FOUND, STEP, "no volume %s".formatted(name));
    }
    return volume;
  }

  private VolumeInfo info(Volume volume) {
    Path data = directory.resolve(volume.record.name()).resolve(DATA);
    OptionalLong used =
        volume.record.sizeBytes() == 0
            ? OptionalLong.empty()
            : quota.usage(data).stream().mapToLong(VolumeUsage::bytes).findFirst();
    return new VolumeInfo(
        volume.record.spec(), Instant.parse(volume.record.created()), volume.users, used);
  }

  private VolumeDriver driver(VolumeRecord record) {
    VolumeDriver driver = drivers.get(record.driver());
    if (driver == null) {
      throw new JrtException(
          ErrorKind.INVALID,
          STEP,
          "volume %s: no driver \"%s\"; there are %s"
              .formatted(record.name(), record.driver(), new TreeSet<>(drivers.keySet())));
    }
    return driver;
  }

  private void writeUsers(Volume volume) {
    try (Fd dir = files.openDirectory(directory.resolve(volume.record.name()))) {
      write(dir, USERS, new Users(List.copyOf(volume.users)));
    }
  }

  /** Replaces the file whole: after a crash it is the old or the new one. */
  private void write(Fd dir, String name, Object value) {
    String temporary = "." + name + ".new";
    byte[] bytes = json.writeValueAsBytes(value);
    int flags = OpenFlags.O_WRONLY | OpenFlags.O_CREAT | OpenFlags.O_TRUNC | OpenFlags.O_NOFOLLOW;
    try (Fd file = files.openat(dir, temporary.getBytes(StandardCharsets.UTF_8), flags, 0600)) {
      files.writeFully(file, bytes);
      files.fsync(file);
    }
    failPoints.hit("volume-note.show");
    files.renameat2(dir, temporary, dir, name, 0);
    files.fsync(dir);
  }

  private static void checkName(String name) {
    if (!NAME.matcher(name).matches()) {
      throw new JrtException(
          ErrorKind.INVALID,
          STEP,
          "volume name \"%s\" is not of letters, digits, \"_\", \".\" and \"-\""
              .formatted(name.length() > 128 ? name.substring(0, 128) : name));
    }
  }
}
