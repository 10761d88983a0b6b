package io.jrt.server.image;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Image;
import io.jrt.image.PullListener;
import io.jrt.image.PullRequest;
import io.jrt.linux.WholeFile;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Brings the images of directories to this node, as k3s does it for a node without a registry:
 * archives are imported, and the images that a {@code .txt} file names are pulled, those that lie
 * there at the start and those that appear. Such images are pinned, since the kubelet could not
 * have one again that it collected.
 *
 * <p>A file that was brought in is noted with its size and time, and left alone until it changes or
 * an image of it is missing at a start. One that is still being written is waited for.
 */
public final class ArchiveDirectories implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ArchiveDirectories.class);
  private static final Duration LOOK_EVERY = Duration.ofSeconds(3);
  private static final Duration TRY_AGAIN = Duration.ofMinutes(1);
  private static final int MAX_LIST = 1 << 20;

  /** A file as it was. */
  record Stamp(long size, long changed) {}

  /** A file that was brought in, and the names of its images. */
  record Note(String file, Stamp stamp, List<String> names) {}

  /** All notes, as they are on the disk. */
  record Notes(List<Note> files) {}

  private record Failed(Stamp stamp, Instant again) {}

  private final Images images;
  private final Supplier<List<Path>> directories;
  private final Path file;
  private final JsonMapper json = JsonMapper.builder().build();
  private final Map<Path, Note> notes = new TreeMap<>();
  private final Map<Path, Stamp> unfinished = new TreeMap<>();
  private final Map<Path, Failed> failed = new TreeMap<>();
  private final Thread thread;

  private ArchiveDirectories(Images images, Supplier<List<Path>> directories, Path file) {
    this.images = images;
    this.directories = directories;
    this.file = file;
    this.thread = Thread.ofPlatform().daemon().name("jrt-archives").unstarted(this::work);
  }

  /**
   * Begins to look into directories, in the background.
   *
   * @param directories asked at each look; one that does not exist is no error
   * @param file where it is noted what was brought in
   */
  public static ArchiveDirectories watch(
      Images images, Supplier<List<Path>> directories, Path file) {
    var made = new ArchiveDirectories(images, directories, file);
    made.thread.start();
    return made;
  }

  private void work() {
    try {
      recall();
      while (true) {
        for (Path directory : directories.get()) {
          look(directory);
        }
        Thread.sleep(LOOK_EVERY);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Takes up what earlier daemons brought in and is here still. */
  private void recall() {
    try {
      for (Note note : json.readValue(Files.readAllBytes(file), Notes.class).files()) {
        if (note.names().stream().allMatch(name -> images.find(name).isPresent())) {
          note.names().forEach(images::pin);
          notes.put(Path.of(note.file()), note);
        }
      }
    } catch (NoSuchFileException e) {
      LOG.debug("nothing was brought in yet");
    } catch (IOException | JacksonException | JrtException e) {
      // It saves work only.
      LOG.warn("{} cannot be read, archives are imported anew: {}", file, e.getMessage());
    }
  }

  private void look(Path directory) throws InterruptedException {
    var files = new TreeSet<Path>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(directory)) {
      for (Path path : all) {
        if (Files.isRegularFile(path) && !path.getFileName().toString().startsWith(".")) {
          files.add(path);
        }
      }
    } catch (NoSuchFileException e) {
      return;
    } catch (IOException e) {
      LOG.warn("the images in {} cannot be looked for: {}", directory, e.toString());
      return;
    }
    for (Path path : files) {
      try {
        Stamp stamp = new Stamp(Files.size(path), Files.getLastModifiedTime(path).toMillis());
        if (isDue(path, stamp)) {
          bring(path, stamp);
        }
      } catch (IOException e) {
        LOG.info("{} went while it was looked at: {}", path, e.toString());
      }
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
    }
  }

  private boolean isDue(Path path, Stamp stamp) {
    Note note = notes.get(path);
    if (note != null && note.stamp().equals(stamp)) {
      return false;
    }
    Failed before = failed.get(path);
    if (before != null && before.stamp().equals(stamp) && Instant.now().isBefore(before.again())) {
      return false;
    }
    boolean old = Instant.ofEpochMilli(stamp.changed()).isBefore(Instant.now().minus(LOOK_EVERY));
    // Somebody who copies a file there needs a while for it.
    return old || stamp.equals(unfinished.put(path, stamp));
  }

  private void bring(Path path, Stamp stamp) {
    unfinished.remove(path);
    try {
      List<String> names = path.toString().endsWith(".txt") ? pull(path) : imported(path);
      names.forEach(images::pin);
      failed.remove(path);
      notes.put(path, new Note(path.toString(), stamp, names));
      write();
      LOG.info("brought in {}: {}", path, String.join(", ", names));
    } catch (IOException | JrtException e) {
      boolean hopeless =
          e instanceof JrtException known
              && (known.kind() == ErrorKind.INVALID || known.kind() == ErrorKind.DENIED);
      failed.put(path, new Failed(stamp, hopeless ? Instant.MAX : Instant.now().plus(TRY_AGAIN)));
      LOG.warn("{} cannot be brought in: {}", path, e.getMessage());
    }
  }

  private List<String> imported(Path archive) {
    var names = new ArrayList<String>();
    for (Image image : images.importArchive(archive)) {
      names.addAll(image.repoTags().isEmpty() ? List.of(image.id()) : image.repoTags());
    }
    return List.copyOf(names);
  }

  private List<String> pull(Path list) throws IOException {
    if (Files.size(list) > MAX_LIST) {
      throw new JrtException(
          ErrorKind.INVALID, "pull images", list + " is longer than " + MAX_LIST + " bytes");
    }
    List<String> names =
        Files.readAllLines(list).stream()
            .map(String::strip)
            .filter(line -> !line.isEmpty() && !line.startsWith("#"))
            .toList();
    for (String name : names) {
      if (images.find(name).isEmpty()) {
        images.pull(PullRequest.of(name), PullListener.NONE);
      }
    }
    return names;
  }

  private void write() throws IOException {
    byte[] content = json.writeValueAsBytes(new Notes(List.copyOf(notes.values())));
    WholeFile.write(file, content, WholeFile.Durability.INTACT);
  }

  /** Stops, also in the middle of an import. */
  @Override
  public void close() {
    thread.interrupt();
    try {
      thread.join(Duration.ofSeconds(10));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
