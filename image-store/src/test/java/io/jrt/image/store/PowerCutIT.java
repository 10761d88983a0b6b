package io.jrt.image.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jrt.image.Image;
import io.jrt.image.ImageStore;
import io.jrt.image.ImageStoreConfig;
import io.jrt.image.PullListener;
import io.jrt.image.PullRequest;
import io.jrt.image.layer.Tars;
import io.jrt.linux.Kernel;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The power goes in the middle of a pull, on a real file system: at every step its disk, a file
 * behind a loop device, is copied as it is at that moment, without what the kernel has in memory
 * only. From each copy a store must start, and give whole images.
 */
final class PowerCutIT {
  private static final Kernel KERNEL = Kernel.open();
  private static final int SIZE = 700_000;

  @TempDir Path temp;
  private TestRegistry registry;
  private FaultProxy proxy;
  private TestImage image;
  private Path disk;
  private Path mounted;

  /** The disk as it was when the power went. */
  private record Photo(String when, Path disk) {}

  @BeforeEach
  void open() throws Exception {
    registry = TestRegistry.open(temp.resolve("registry"));
    proxy = new FaultProxy(registry.host());
    image = TestImage.of(noise("one", 1), noise("two", 2), new Tars().file("small", "s").bytes());
    registry.push("a/b", "1", image);
    disk = temp.resolve("disk");
    mounted = Files.createDirectory(temp.resolve("mounted"));
    try (RandomAccessFile file = new RandomAccessFile(disk.toFile(), "rw")) {
      file.setLength(96L << 20);
    }
    run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", disk.toString());
    try {
      mount(disk);
    } catch (IOException e) {
      assumeTrue(false, "no loop device here: " + e.getMessage());
    }
  }

  @AfterEach
  void close() throws Exception {
    KERNEL.mounts().detach(mounted);
    proxy.close();
    registry.close();
  }

  private void mount(Path what) throws Exception {
    // What is not synced stays in memory for as long as the test runs.
    run("mount", "-o", "loop,commit=300", what.toString(), mounted.toString());
  }

  private static void run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
      process.destroyForcibly();
      throw new IOException(String.join(" ", command) + ": " + output.strip());
    }
  }

  private static byte[] noise(String name, int seed) throws Exception {
    byte[] noise = new byte[SIZE];
    new Random(seed).nextBytes(noise);
    return new Tars().file(name, noise, 0644).bytes();
  }

  private Photo photo(String when, int number) {
    Path copy = temp.resolve("photo" + number);
    try {
      run("cp", "--sparse=always", disk.toString(), copy.toString());
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
    return new Photo(when, copy);
  }

  private String reference() {
    return proxy.host() + "/a/b:1";
  }

  private ImageStoreConfig config() {
    return new ImageStoreConfig(
        mounted.resolve("images"),
        ImageStoreConfig.Registries.NONE,
        ImageStoreConfig.Limits.DEFAULT,
        List.of());
  }

  @Test
  void thePowerMayGoAtEveryStepOfAPull() throws Exception {
    List<Photo> photos = new ArrayList<>();
    try (ImageStore store =
        LocalImageStore.open(
            config(),
            KERNEL,
            step -> {
              synchronized (photos) {
                photos.add(photo(step, photos.size()));
              }
            })) {
      Image pulled = store.pull(PullRequest.of(reference()), PullListener.NONE);
      store.prepareSnapshot("kept", pulled.id());
      photos.add(photo("answered", photos.size()));
      store.remove(reference());
      photos.add(photo("removed", photos.size()));
    }
    unmount();
    assertThat(photos).hasSizeGreaterThan(8);
    for (Photo photo : photos) {
      mount(photo.disk());
      otherBoot();
      proxy.forget();
      try (ImageStore store = LocalImageStore.open(config(), KERNEL)) {
        if (photo.when().equals("answered")) {
          assertThat(store.find(reference())).as("what was answered").isPresent();
          // Not so a snapshot: after a power cut nothing runs in it any more.
          assertThat(store.snapshotKeys()).isSubsetOf("kept");
        }
        if (photo.when().equals("removed")) {
          assertThat(store.find(reference())).isEmpty();
        }
        isWhole(store, photo.when());
        if (photo.when().equals("answered")) {
          assertThat(proxy.seen().stream().filter(line -> line.contains("/blobs/")))
              .as("what is fetched again after the answer")
              .isEmpty();
        }
      }
      unmount();
      Files.delete(photo.disk());
    }
    System.out.println("power cuts in a pull: " + photos.size());
  }

  private void unmount() throws Exception {
    // Its deletions in the background may hold it for a moment.
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (true) {
      try {
        run("umount", mounted.toString());
        return;
      } catch (IOException busy) {
        if (System.nanoTime() > end) {
          throw busy;
        }
        Thread.sleep(50);
      }
    }
  }

  /** A node that lost its power boots anew. */
  private void otherBoot() throws IOException {
    Path state = mounted.resolve("images/state");
    if (Files.exists(state)) {
      Files.writeString(state, "11111111-2222-3333-4444-555555555555");
    }
  }

  private void isWhole(ImageStore store, String when) throws Exception {
    Image pulled = store.pull(PullRequest.of(reference()), PullListener.NONE);
    assertThat(pulled.id()).as(when).isEqualTo(image.id());
    List<Path> lower = store.prepareSnapshot("k", pulled.id()).lowerDirs();
    byte[] noise = new byte[SIZE];
    new Random(1).nextBytes(noise);
    assertThat(lower.get(2).resolve("one")).as(when).hasBinaryContent(noise);
    new Random(2).nextBytes(noise);
    assertThat(lower.get(1).resolve("two")).as(when).hasBinaryContent(noise);
    assertThat(lower.get(0).resolve("small")).as(when).hasContent("s");
  }
}
