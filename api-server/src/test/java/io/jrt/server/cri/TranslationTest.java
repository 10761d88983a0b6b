package io.jrt.server.cri;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.jrt.core.Bytes;
import io.jrt.core.ContainerConfig;
import io.jrt.core.LinuxResources;
import io.jrt.core.MountConfig;
import io.jrt.core.NamespaceMode;
import io.jrt.core.PodConfig;
import io.jrt.cri.v1.ContainerMetadata;
import io.jrt.cri.v1.ImageSpec;
import io.jrt.cri.v1.Int64Value;
import io.jrt.cri.v1.KeyValue;
import io.jrt.cri.v1.LinuxContainerConfig;
import io.jrt.cri.v1.LinuxContainerSecurityContext;
import io.jrt.cri.v1.LinuxSandboxSecurityContext;
import io.jrt.cri.v1.Mount;
import io.jrt.cri.v1.MountPropagation;
import io.jrt.cri.v1.NamespaceOption;
import io.jrt.cri.v1.PodSandboxConfig;
import io.jrt.cri.v1.PodSandboxMetadata;
import io.jrt.cri.v1.Signal;
import io.jrt.cri.v1.UserNamespace;
import io.jrt.errors.JrtException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class TranslationTest {

  private static io.jrt.cri.v1.ContainerConfig.Builder container() {
    return io.jrt.cri.v1.ContainerConfig.newBuilder()
        .setMetadata(ContainerMetadata.newBuilder().setName("web").setAttempt(2))
        .setImage(ImageSpec.newBuilder().setImage("busybox"));
  }

  @Test
  void environmentValuesStayBytes() {
    byte[] notUtf8 = {'a', (byte) 0xff, 'b'};
    ContainerConfig config =
        ContainerTranslation.config(
            container()
                .addEnvs(KeyValue.newBuilder().setKey("RAW").setValue(ByteString.copyFrom(notUtf8)))
                .build());
    assertThat(config.environment().getFirst().value()).isEqualTo(Bytes.of(notUtf8));
  }

  @Test
  void anAbsentUserIsNotUserZero() {
    LinuxContainerSecurityContext.Builder context = LinuxContainerSecurityContext.newBuilder();
    assertThat(SecurityTranslation.ofContainer(context.build()).runAsUser()).isEmpty();
    context.setRunAsUser(Int64Value.getDefaultInstance());
    assertThat(SecurityTranslation.ofContainer(context.build()).runAsUser()).hasValue(0);
  }

  @Test
  void aGroupWithoutAUserIsRefused() {
    LinuxContainerSecurityContext context =
        LinuxContainerSecurityContext.newBuilder()
            .setRunAsGroup(Int64Value.newBuilder().setValue(5))
            .build();
    assertThatThrownBy(() -> SecurityTranslation.ofContainer(context))
        .isInstanceOf(JrtException.class)
        .hasMessageContaining("run_as_group");
  }

  @Test
  void aUserNamespaceOfAContainerIsRefused() {
    LinuxSandboxSecurityContext context =
        LinuxSandboxSecurityContext.newBuilder()
            .setNamespaceOptions(
                NamespaceOption.newBuilder()
                    .setUsernsOptions(
                        UserNamespace.newBuilder().setMode(io.jrt.cri.v1.NamespaceMode.CONTAINER)))
            .build();
    assertThatThrownBy(() -> SecurityTranslation.ofPod(context))
        .isInstanceOf(JrtException.class)
        .hasMessageContaining("userns_options");
  }

  @Test
  void everySignalGoesThereAndBack() {
    for (Signal signal : Signal.values()) {
      if (signal != Signal.UNRECOGNIZED && signal != Signal.SIGNAL_RUNTIME_DEFAULT) {
        assertThat(SignalTranslation.toCri(SignalTranslation.of(signal))).isEqualTo(signal);
      }
    }
    assertThat(SignalTranslation.of(Signal.SIGNAL_SIGRTMINPLUS3)).isEqualTo("SIGRTMIN+3");
    assertThat(SignalTranslation.of(Signal.SIGNAL_SIGRTMAXMINUS14)).isEqualTo("SIGRTMAX-14");
    assertThat(SignalTranslation.of(Signal.SIGNAL_RUNTIME_DEFAULT)).isEmpty();
  }

  @Test
  void mountsGoThereAndBack() {
    Mount mount =
        Mount.newBuilder()
            .setContainerPath("/data")
            .setHostPath("/srv")
            .setReadonly(true)
            .setRecursiveReadOnly(true)
            .setPropagation(MountPropagation.PROPAGATION_HOST_TO_CONTAINER)
            .addMountOptions("noexec")
            .build();
    MountConfig config = MountTranslation.of(mount);
    assertThat(config.options()).containsExactly("noexec");
    assertThat(MountTranslation.toCri(config)).isEqualTo(mount);
  }

  @Test
  void limitsGoThereAndBack() {
    var limits =
        new LinuxResources(
            100_000, 50_000, 512, 1 << 20, 2 << 20, -5, "0-1", "0", List.of(), Map.of("a", "b"));
    assertThat(ResourcesTranslation.of(ResourcesTranslation.toCri(limits))).isEqualTo(limits);
  }

  @Test
  void anAbsentNamespaceMessageMeansThatOfThePod() {
    PodConfig config =
        PodTranslation.config(
            PodSandboxConfig.newBuilder()
                .setMetadata(PodSandboxMetadata.newBuilder().setName("p").setUid("u"))
                .build());
    assertThat(config.security().namespaces().network()).isEqualTo(NamespaceMode.POD);
    assertThat(config.security().namespaces().user()).isEmpty();
  }

  @Test
  void aProfileOfTheOldWayIsUnderstood() {
    @SuppressWarnings("deprecation") // what old kubelets send
    LinuxContainerSecurityContext context =
        LinuxContainerSecurityContext.newBuilder()
            .setSeccompProfilePath("localhost//etc/p.json")
            .build();
    assertThat(SecurityTranslation.ofContainer(context).seccomp().orElseThrow().localhostRef())
        .isEqualTo("/etc/p.json");
  }

  @Test
  void aRequestWithoutMetadataIsRefused() {
    assertThatThrownBy(() -> ContainerTranslation.config(container().clearMetadata().build()))
        .isInstanceOf(JrtException.class)
        .hasMessage("config.metadata is missing");
    assertThat(LinuxContainerConfig.getDefaultInstance().hasSecurityContext()).isFalse();
  }
}
