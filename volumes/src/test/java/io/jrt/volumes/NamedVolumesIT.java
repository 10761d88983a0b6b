package io.jrt.volumes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Kernel;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Named volumes on disk, over restarts of the daemon. */
class NamedVolumesIT {
  private final Kernel kernel = Kernel.open();

  @TempDir Path directory;
  private Volumes volumes;

  @BeforeEach
  void start() {
    volumes =
        new Volumes(kernel, new VolumesConfig(directory.resolve("root"), Duration.ofSeconds(20)));
  }

  private NamedVolumes named() {
    return volumes.named();
  }

  private void use(String volume, String owner) {
    volumes
        .prepare(
            List.of(MountRequest.of(new MountSource.Named(volume), "/data")),
            MountContext.of(owner))
        .forEach(PreparedMount::close);
  }

  private Path place(String volume) {
    return directory.resolve("root/volumes").resolve(volume);
  }

  @Test
  void recordsOutliveTheDaemon() {
    VolumeSpec spec = new VolumeSpec("db", "local", 0, Map.of("team", "a"), Map.of());
    VolumeInfo made = named().create(spec);
    named().create(VolumeSpec.local("other"));
    use("db", "container-1");

    start();

    VolumeInfo found = named().find("db").orElseThrow();
    assertThat(found.spec()).isEqualTo(spec);
    assertThat(found.created()).isEqualTo(made.created());
    assertThat(found.users()).containsExactly("container-1");
    assertThat(named().list()).extracting(v -> v.spec().name()).containsExactly("db", "other");
  }

  @Test
  void equalRequestIsAnsweredAndAnotherRefused() {
    named().create(VolumeSpec.local("v"));

    named().create(VolumeSpec.local("v"));
    assertThatThrownBy(
            () -> named().create(new VolumeSpec("v", "local", 0, Map.of("x", "y"), Map.of())))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.ALREADY_EXISTS));
  }

  @Test
  void volumeInUseIsNotRemoved() {
    named().create(VolumeSpec.local("v"));
    use("v", "container-1");
    use("v", "container-2");

    assertThatThrownBy(() -> named().remove("v"))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.FAILED_PRECONDITION))
        .hasMessage("volume v is in use by container-1, container-2");
    assertThat(named().prune()).isEmpty();

    named().release("container-1");
    named().retainUsers(Set.of("container-9"));
    assertThat(named().prune()).containsExactly("v");
    assertThat(place("")).isEmptyDirectory();
  }

  @Test
  void unknownVolumeIsNotMadeByMounting() {
    assertThatThrownBy(() -> use("none", "c"))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.NOT_FOUND))
        .hasMessage("no volume none");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ".", "..", "../x", "a/b", ".hidden", "-v", "a b", "a\nb", "ä"})
  void namesThatCouldLeaveTheDirectoryAreRefused(String name) {
    assertThatThrownBy(() -> named().create(VolumeSpec.local(name)))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.INVALID));
  }

  @Test
  void driversAndTheirOptionsAreChecked() {
    assertThatThrownBy(() -> named().create(new VolumeSpec("v", "nfs", 0, Map.of(), Map.of())))
        .hasMessage("volume v: no driver \"nfs\"; there are [local]");
    assertThatThrownBy(
            () -> named().create(new VolumeSpec("v", "local", 0, Map.of(), Map.of("o", "x"))))
        .hasMessage("volume v: driver local has no option \"o\"");
    assertThat(place("")).isEmptyDirectory();
  }

  @Test
  void whatACrashLeftHalfDoneIsGoneAfterTheNextStart() throws IOException {
    named().create(VolumeSpec.local("kept"));
    named().create(VolumeSpec.local("going"));
    Files.writeString(place("going/data/file"), "x");
    Files.move(place("going"), place(".gone-going"));
    Files.createDirectories(place(".new-half/data"));
    Files.createDirectories(place("no-record"));

    start();

    assertThat(named().list()).extracting(v -> v.spec().name()).containsExactly("kept");
    assertThat(place(".gone-going")).doesNotExist();
    assertThat(place(".new-half")).doesNotExist();
    assertThat(place("no-record")).as("what is not understood is left alone").exists();
  }

  @Test
  void damagedRecordCostsOnlyItsVolume() throws IOException {
    named().create(VolumeSpec.local("good"));
    named().create(VolumeSpec.local("bad"));
    Files.writeString(place("bad/volume.json"), "{\"version\":");

    start();

    assertThat(named().list()).extracting(v -> v.spec().name()).containsExactly("good");
    assertThat(place("bad/data")).exists();
  }

  @Test
  void directoryIsClosedToOthers() throws IOException { // CVE-2021-41103
    named().create(VolumeSpec.local("v"));

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(place(""))))
        .isEqualTo("rwx--x--x");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(place("v/volume.json"))))
        .isEqualTo("rw-------");
  }

  @Test
  void exportedVolumeIsImportedElsewhere() throws IOException {
    named().create(VolumeSpec.local("from"));
    named().create(VolumeSpec.local("to"));
    Files.writeString(place("from/data/file"), "content");
    Files.createSymbolicLink(place("from/data/link"), Path.of("file"));

    ByteArrayOutputStream tar = new ByteArrayOutputStream();
    named().exportTar("from", tar);
    named().importTar("to", new ByteArrayInputStream(tar.toByteArray()));

    assertThat(place("to/data/file")).hasContent("content");
    assertThat(Files.readSymbolicLink(place("to/data/link"))).isEqualTo(Path.of("file"));
    assertThat(named().find("from").orElseThrow().users()).isEmpty();
  }
}
