package io.jrt.core.launch;

import static io.jrt.core.launch.LaunchFixture.process;
import static io.jrt.core.launch.LaunchFixture.shell;
import static io.jrt.core.launch.LaunchFixture.with;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.jrt.core.launch.LaunchFixture.Request;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Each way a start can fail gives a sentence of its own and leaves nothing behind. */
class StartFailureIT {
  private LaunchFixture fixture;
  private Path rootfs;

  @BeforeEach
  void open() throws Exception {
    fixture = new LaunchFixture();
    rootfs = fixture.rootfs("rootfs");
  }

  @AfterEach
  void close() throws Exception {
    fixture.close();
  }

  private JrtException failure(Request request) throws Exception {
    Path keeperDir = fixture.keeperDir();
    JrtException failure =
        catchThrowableOfType(JrtException.class, () -> fixture.start(request, keeperDir));
    assertThat(failure).as("failure of %s", request.process.args()).isNotNull();
    assertThat(keeperDir).isEmptyDirectory();
    assertThat(ProcessHandle.current().children()).isEmpty();
    return failure;
  }

  private JrtException failure(String... args) throws Exception {
    return failure(new Request(rootfs, process(args)));
  }

  private void file(String name, byte[] content, String mode) throws Exception {
    Path file = Files.write(rootfs.resolve(name), content);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
  }

  @Test
  void missingProgram() throws Exception {
    JrtException failure = failure("/no/such");
    assertThat(failure).hasMessage("exec /no/such: no such file in the image");
    assertThat(failure.kind()).isEqualTo(ErrorKind.NOT_FOUND);
    assertThat(failure.step()).isEqualTo("start container");
    assertThat(failure("nosuch")).hasMessage("exec nosuch: no such file in the container's PATH");
    assertThat(failure("")).hasMessageContaining("no such file");
  }

  @Test
  void directoryAsProgram() throws Exception {
    assertThat(failure("/etc")).hasMessage("exec /etc: is a directory");
  }

  @Test
  void programThatMayNotBeExecuted() throws Exception {
    file("bin/plain", "#!/bin/sh\n".getBytes(StandardCharsets.UTF_8), "rw-r--r--");
    JrtException failure = failure("plain");
    assertThat(failure).hasMessage("exec /bin/plain: permission denied");
    assertThat(failure.kind()).isEqualTo(ErrorKind.DENIED);
  }

  @Test
  void missingInterpreterOfAScript() throws Exception {
    file("bin/script", "#! /opt/python -u\n".getBytes(StandardCharsets.UTF_8), "rwxr-xr-x");
    assertThat(failure("script")).hasMessage("exec script: missing interpreter /opt/python");
  }

  @Test
  void missingInterpreterOfAProgram() throws Exception {
    Files.copy(Path.of("/usr/bin/stat"), rootfs.resolve("bin/dynamic"));
    assertThat(failure("/bin/dynamic").getMessage())
        .startsWith("exec /bin/dynamic: missing interpreter /lib")
        .contains("ld-linux");
  }

  @Test
  void wrongArchitecture() throws Exception {
    boolean arm = System.getProperty("os.arch").equals("aarch64");
    ByteBuffer elf = ByteBuffer.allocate(128).order(ByteOrder.LITTLE_ENDIAN);
    elf.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1}).position(16);
    elf.putShort((short) 2).putShort((short) (arm ? 62 : 183)).putInt(1);
    file("bin/foreign", elf.array(), "rwxr-xr-x");
    assertThat(failure("foreign"))
        .hasMessage(
            "exec /bin/foreign: wrong architecture: the program is for "
                + (arm ? "amd64, this machine is arm64" : "arm64, this machine is amd64"));
  }

  @Test
  void notAProgram() throws Exception {
    file("bin/text", "just words".getBytes(StandardCharsets.UTF_8), "rwxr-xr-x");
    assertThat(failure("text"))
        .hasMessage("exec /bin/text: not a program: no known format and no #! line");
  }

  @Test
  void badWorkingDirectory() throws Exception {
    Files.writeString(rootfs.resolve("etc/file"), "");
    for (String cwd : List.of("/etc/file", "/etc/file/below")) {
      Request request = new Request(rootfs, process("true"));
      request.process = with(request.process, null, null, null, null, cwd);
      assertThat(failure(request)).hasMessage("working directory " + cwd + ": not a directory");
    }
    Files.createDirectories(rootfs.resolve("private"));
    Files.setPosixFilePermissions(
        rootfs.resolve("private"), PosixFilePermissions.fromString("rwx------"));
    Request request = new Request(rootfs, process("true"));
    request.process = with(request.process, null, null, null, null, "relative");
    assertThat(failure(request)).hasMessageContaining("is not absolute");
  }

  @Test
  void mountsThatCannotBe() throws Exception {
    Request unknown = new Request(rootfs, process("true"));
    unknown.mounts = List.of(new MountStep.Make("nofs", "", CString.of("/mnt"), List.of(), 0));
    assertThat(failure(unknown)).hasMessage("cannot mount nofs on /mnt: no such device");

    Request option = new Request(rootfs, process("true"));
    option.mounts =
        List.of(new MountStep.Make("tmpfs", "", CString.of("/mnt"), List.of("colour=red"), 0));
    assertThat(failure(option)).hasMessage("cannot mount tmpfs on /mnt: invalid argument (colour)");

    Request mismatch = new Request(rootfs, process("true"));
    try (var directory = fixture.kernel.mounts().bindClone(rootfs.resolve("etc"), false)) {
      mismatch.mounts = List.of(new MountStep.Attach(directory, CString.of("/bin/busybox"), true));
      assertThat(failure(mismatch))
          .hasMessage("cannot mount a volume on /bin/busybox: invalid argument");
    }
    Request dots = new Request(rootfs, process("true"));
    dots.mounts = List.of(new MountStep.Make("tmpfs", "", CString.of("/a/../b"), List.of(), 0));
    assertThat(failure(dots)).hasMessageContaining("/a/../b");
  }

  @Test
  void unknownSysctl() throws Exception {
    Request request = new Request(rootfs, process("true"));
    request.sysctls = Map.of("net.no.such", "1");
    assertThat(failure(request))
        .hasMessage("cannot set the sysctl net.no.such: no such file or directory");
    request.sysctls = Map.of("net.ipv4.ip_forward", "1\n2");
    assertThat(failure(request)).hasMessageContaining("more than one line");
    request.sysctls = Map.of("net/../kernel/core_pattern", "x");
    assertThat(failure(request)).hasMessageContaining("is not a name");
  }

  @Test
  void brokenSeccompFilter() throws Exception {
    Request request = new Request(rootfs, process("true"));
    request.process =
        with(request.process, null, null, true, SeccompFilter.of(new byte[8], 0), null);
    assertThat(failure(request)).hasMessage("cannot install the seccomp filter: invalid argument");
  }

  @Test
  void aLimitThatMayNotBeRaisedFailsOrIsClamped() throws Exception {
    long systemMaximum = Long.parseLong(fixture.sysctl("fs/nr_open"));
    Request request = new Request(rootfs, shell("ulimit -n"));
    ProcessSpec plain = request.process;
    request.process =
        new ProcessSpec(
            plain.args(),
            plain.env(),
            plain.cwd(),
            plain.user(),
            plain.capabilities(),
            List.of(new Rlimit(7, 100, systemMaximum + 1)), // RLIMIT_NOFILE, beyond the possible
            false,
            SeccompFilter.NONE,
            "",
            "",
            ProcessSpec.LEAVE_OOM_SCORE);
    assertThat(failure(request))
        .hasMessage(
            "cannot set the resource limit 7 to 100 of "
                + (systemMaximum + 1)
                + ": operation not permitted");
    request.clamp = true;
    LiveContainer container = fixture.start(request);
    assertThat(container.clamped()).containsExactly("resource limit number 0");
    assertThat(fixture.finish(container).out()).isEqualTo("100\n");
  }

  @Test
  void deviceWhereAnotherFileIs() throws Exception {
    JrtException failure =
        catchThrowableOfType(
            JrtException.class,
            () -> {
              try (var root = fixture.kernel.mounts().bindClone(rootfs, false)) {
                fixture.launcher.start(
                    new LaunchSpec(
                        process("true"),
                        NamespacePlan.ISOLATED,
                        root,
                        false,
                        false,
                        StandardLayout.mounts(false, ""),
                        List.of(
                            new DeviceNode(
                                CString.of("/bin/busybox"),
                                CString.of("/dev/null"),
                                DeviceNode.Type.CHARACTER,
                                1,
                                3,
                                0666,
                                0,
                                0)),
                        List.of(),
                        List.of(),
                        Map.of(),
                        "",
                        "",
                        CgroupPlacement.NONE,
                        false),
                    new LaunchIo.Pipes(false),
                    fixture.keeperDir());
              }
            });
    assertThat(failure).hasMessage("cannot make the device /bin/busybox: file exists");
  }
}
