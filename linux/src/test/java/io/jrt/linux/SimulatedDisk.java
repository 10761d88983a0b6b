package io.jrt.linux;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A disk in memory, used through {@link java.nio.file.Files}, that can lose its power before any
 * change. What a power cut leaves is what a file system promises and no more: bytes that were not
 * synced are there, gone, cut or zero; entries of directories that were not synced are as before or
 * as after, renames as a whole.
 *
 * <pre>
 *   SimulatedDisk disk = new SimulatedDisk();
 *   disk.cutPowerBefore(17);
 *   try { work(disk.root()); } catch (SimulatedDisk.PowerCut e) { disk = disk.afterPowerCut(random); }
 * </pre>
 */
public final class SimulatedDisk {
  /** The power went: nothing that runs on the machine sees another moment. */
  public static final class PowerCut extends Error {
    private static final long serialVersionUID = 1;

    PowerCut(String before) {
      super("power was cut before " + before, null, false, false);
    }
  }

  /** A file or a directory. */
  sealed interface Node permits Data, Directory {}

  /** A file: what programs read, and what the platter has for sure. */
  static final class Data implements Node {
    byte[] bytes = {};
    private byte[] synced = {};
  }

  /** A directory, in the same two views. */
  static final class Directory implements Node {
    final Map<String, Node> entries = new TreeMap<>();
    private final Map<String, Node> synced = new TreeMap<>();
  }

  /** One entry becomes something else, or nothing. */
  private record Entry(Directory directory, String name, @Nullable Node node) {}

  /** Entries that change together. */
  private record Change(List<Entry> entries) {
    boolean touches(Directory directory) {
      return entries.stream().anyMatch(entry -> entry.directory() == directory);
    }
  }

  private final Directory top;
  private final SimulatedFileSystem fileSystem = new SimulatedFileSystem(this);
  private final List<Change> unsynced = new ArrayList<>();
  private long changes;
  private long cutBefore = Long.MAX_VALUE;
  private long failFrom = Long.MAX_VALUE;
  private long failUntil;
  private String failure = "";

  public SimulatedDisk() {
    this(new Directory());
  }

  private SimulatedDisk(Directory top) {
    this.top = top;
  }

  /** The directory that everything lies in. */
  public Path root() {
    return fileSystem.getPath("/");
  }

  /** How often something was changed or synced so far. */
  public synchronized long changes() {
    return changes;
  }

  /** The power goes right before this change, counted from 1. */
  public synchronized void cutPowerBefore(long change) {
    cutBefore = change;
  }

  /** Changes fail for this reason, such as {@code No space left on device}, syncs among them. */
  public synchronized void failChanges(long from, long count, String reason) {
    failFrom = from;
    failUntil = from + count;
    failure = reason;
  }

  /** The disk as the next boot finds it; one of the many ways it may be. */
  public synchronized SimulatedDisk afterPowerCut(Random random) {
    boolean inOrder = random.nextBoolean();
    int kept = unsynced.isEmpty() ? 0 : random.nextInt(unsynced.size() + 1);
    for (int i = 0; i < unsynced.size(); i++) {
      if (inOrder ? i < kept : random.nextBoolean()) {
        unsynced.get(i).entries().forEach(SimulatedDisk::settle);
      }
    }
    return new SimulatedDisk((Directory) found(top, random));
  }

  /** The disk as the next process finds it when only the last one died. */
  public synchronized SimulatedDisk afterProcessDeath() {
    cutBefore = Long.MAX_VALUE;
    return this;
  }

  private static void settle(Entry entry) {
    if (entry.node() == null) {
      entry.directory().synced.remove(entry.name());
    } else {
      entry.directory().synced.put(entry.name(), entry.node());
    }
  }

  private static Node found(Node node, Random random) {
    return switch (node) {
      case Data data -> {
        Data after = new Data();
        after.bytes = found(data, random);
        after.synced = after.bytes;
        yield after;
      }
      case Directory directory -> {
        Directory after = new Directory();
        directory.synced.forEach((name, child) -> after.entries.put(name, found(child, random)));
        after.synced.putAll(after.entries);
        yield after;
      }
    };
  }

  private static byte[] found(Data data, Random random) {
    byte[] now = data.bytes;
    byte[] old = data.synced;
    if (Arrays.equals(now, old)) {
      return old;
    }
    boolean appended =
        now.length >= old.length && Arrays.equals(now, 0, old.length, old, 0, old.length);
    int safe = appended ? old.length : 0;
    int whole = safe + random.nextInt(now.length - safe + 1);
    return switch (random.nextInt(4)) {
      case 0 -> old;
      case 1 -> now;
      case 2 -> Arrays.copyOf(now, whole);
      default -> Arrays.copyOf(Arrays.copyOf(now, whole), now.length);
    };
  }

  private void change(String what) throws IOException {
    changes++;
    if (changes >= cutBefore) {
      throw new PowerCut(what);
    }
    if (changes >= failFrom && changes < failUntil) {
      throw new FileSystemException(what, null, failure);
    }
  }

  // What the file system asks for ----------------------------------------------------------------

  /** The directory that a path's last name is, or is to be, in. */
  private Directory parent(Path path) throws IOException {
    Node node = top;
    for (int i = 0; i < path.getNameCount() - 1; i++) {
      node = node instanceof Directory in ? in.entries.get(name(path, i)) : null;
    }
    if (node instanceof Directory found) {
      return found;
    }
    throw node == null
        ? new NoSuchFileException(path.toString())
        : new NotDirectoryException(path.toString());
  }

  private static String name(Path path, int i) {
    return path.getName(i).toString();
  }

  private static String last(Path path) {
    return name(path, path.getNameCount() - 1);
  }

  synchronized Node find(Path path) throws IOException {
    Node node = path.getNameCount() == 0 ? top : parent(path).entries.get(last(path));
    if (node == null) {
      throw new NoSuchFileException(path.toString());
    }
    return node;
  }

  synchronized List<String> names(Path path) throws IOException {
    if (find(path) instanceof Directory directory) {
      return List.copyOf(directory.entries.keySet());
    }
    throw new NotDirectoryException(path.toString());
  }

  synchronized Data create(Path path) throws IOException {
    change("create " + path);
    Data data = new Data();
    enter(path, data);
    return data;
  }

  synchronized void makeDirectory(Path path) throws IOException {
    if (path.getNameCount() == 0) {
      throw new FileAlreadyExistsException(path.toString());
    }
    change("make " + path);
    enter(path, new Directory());
  }

  private void enter(Path path, Node node) throws IOException {
    Directory directory = parent(path);
    if (directory.entries.containsKey(last(path))) {
      throw new FileAlreadyExistsException(path.toString());
    }
    apply(new Change(List.of(new Entry(directory, last(path), node))));
  }

  synchronized void remove(Path path) throws IOException {
    requireEmpty(find(path), path);
    change("remove " + path);
    apply(new Change(List.of(new Entry(parent(path), last(path), null))));
  }

  synchronized void rename(Path from, Path to, boolean replace) throws IOException {
    Node node = find(from);
    Node there = parent(to).entries.get(last(to));
    if (there != null) {
      if (!replace) {
        throw new FileAlreadyExistsException(to.toString());
      }
      requireEmpty(there, to);
    }
    change("rename " + from + " to " + to);
    apply(
        new Change(
            List.of(
                new Entry(parent(from), last(from), null), new Entry(parent(to), last(to), node))));
  }

  private static void requireEmpty(Node node, Path path) throws IOException {
    if (node instanceof Directory directory && !directory.entries.isEmpty()) {
      throw new DirectoryNotEmptyException(path.toString());
    }
  }

  private void apply(Change change) {
    for (Entry entry : change.entries()) {
      if (entry.node() == null) {
        entry.directory().entries.remove(entry.name());
      } else {
        entry.directory().entries.put(entry.name(), entry.node());
      }
    }
    unsynced.add(change);
  }

  synchronized void write(Path path, Data data, byte[] bytes, int position) throws IOException {
    change("write " + path);
    byte[] next = Arrays.copyOf(data.bytes, Math.max(data.bytes.length, position + bytes.length));
    System.arraycopy(bytes, 0, next, position, bytes.length);
    data.bytes = next;
  }

  synchronized void truncate(Path path, Data data, int size) throws IOException {
    if (data.bytes.length > size) {
      change("truncate " + path);
      data.bytes = Arrays.copyOf(data.bytes, size);
    }
  }

  synchronized byte[] read(Data data) {
    return data.bytes;
  }

  synchronized void sync(Path path, Node node) throws IOException {
    change("sync " + path);
    switch (node) {
      case Data data -> data.synced = data.bytes;
      case Directory directory -> {
        for (Change change : List.copyOf(unsynced)) {
          if (change.touches(directory)) {
            change.entries().forEach(SimulatedDisk::settle);
            unsynced.remove(change);
          }
        }
      }
    }
  }
}
