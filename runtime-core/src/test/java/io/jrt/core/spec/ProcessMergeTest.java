package io.jrt.core.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.core.Bytes;
import io.jrt.core.ContainerConfig;
import io.jrt.core.EnvVar;
import io.jrt.errors.JrtException;
import io.jrt.image.ImageClaim;
import io.jrt.image.ImageConfig;
import io.jrt.image.Platform;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ProcessMergeTest {
  private static final ContainerConfig SILENT =
      ContainerConfig.of("c", "docker.io/library/test:1", List.of());

  private static ImageConfig image(List<String> entrypoint, List<String> cmd) {
    return image(entrypoint, cmd, List.of("PATH=/bin", "A=image", "B=image"), "SIGUSR1", "/work");
  }

  private static ImageConfig image(
      List<String> entrypoint, List<String> cmd, List<String> env, String signal, String cwd) {
    return new ImageConfig(
        Platform.host(),
        ImageClaim.of("created", ""),
        ImageClaim.of("user", "app:staff"),
        ImageClaim.of("env", env),
        ImageClaim.of("entrypoint", entrypoint),
        ImageClaim.of("cmd", cmd),
        ImageClaim.of("workingDir", cwd),
        ImageClaim.of("labels", Map.of()),
        ImageClaim.of("volumes", List.of("/data")),
        ImageClaim.of("ports", List.of()),
        ImageClaim.of("stopSignal", signal));
  }

  private static ContainerConfig asking(List<String> command, List<String> args) {
    return new ContainerConfig(
        SILENT.metadata(),
        SILENT.image(),
        Bytes.listOf(command),
        Bytes.listOf(args),
        "",
        List.of(EnvVar.of("B", "request"), new EnvVar("C", Bytes.of(new byte[] {(byte) 0xff}))),
        List.of(),
        List.of(),
        List.of(),
        Map.of(),
        Map.of(),
        "",
        false,
        false,
        false,
        SILENT.resources(),
        SILENT.security(),
        "");
  }

  private static String args(ContainerConfig config, ImageConfig image) {
    return ProcessMerge.merge(config, image, "").args().toString();
  }

  @Test
  void commandAndArgumentsReplaceAsContainerdDoes() {
    ImageConfig image = image(List.of("/entry", "-e"), List.of("cmd"));
    assertThat(args(asking(List.of(), List.of()), image)).isEqualTo("[/entry, -e, cmd]");
    assertThat(args(asking(List.of(), List.of("x")), image)).isEqualTo("[/entry, -e, x]");
    assertThat(args(asking(List.of("run"), List.of()), image)).isEqualTo("[run]");
    assertThat(args(asking(List.of("run"), List.of("x")), image)).isEqualTo("[run, x]");
    assertThat(args(asking(List.of(), List.of()), image(List.of(), List.of("cmd"))))
        .isEqualTo("[cmd]");
  }

  @Test
  void noCommandAnywhereIsRefused() {
    assertThatThrownBy(() -> args(SILENT, image(List.of(), List.of())))
        .isInstanceOf(JrtException.class)
        .hasMessageContaining("names a command");
  }

  @Test
  void environmentOfTheRequestOverridesTheImageByNameAndStaysBytes() {
    ProcessPlan plan =
        ProcessMerge.merge(asking(List.of("x"), List.of()), image(List.of(), List.of()), "my-pod");
    assertThat(plan.environment())
        .containsExactly(
            EnvVar.of("PATH", "/bin"),
            EnvVar.of("HOSTNAME", "my-pod"),
            EnvVar.of("A", "image"),
            EnvVar.of("B", "request"),
            new EnvVar("C", Bytes.of(new byte[] {(byte) 0xff})));
  }

  @Test
  void imageSpeaksForASilentRequest() {
    ProcessPlan plan = ProcessMerge.merge(SILENT, image(List.of("/e"), List.of()), "");
    assertThat(plan.workingDirectory()).isEqualTo("/work");
    assertThat(plan.stopSignal()).isEqualTo(10);
    assertThat(plan.imageUser().user()).isEqualTo("app");
    assertThat(plan.imageUser().group()).isEqualTo("staff");
    assertThat(plan.volumes()).containsExactly("/data");
  }

  @Test
  void defaultsStandWhenNobodySpeaks() {
    ProcessPlan plan =
        ProcessMerge.merge(SILENT, image(List.of("/e"), List.of(), List.of(), "", ""), "");
    assertThat(plan.workingDirectory()).isEqualTo("/");
    assertThat(plan.stopSignal()).isEqualTo(15);
    assertThat(plan.environment())
        .containsExactly(
            EnvVar.of("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
  }
}
