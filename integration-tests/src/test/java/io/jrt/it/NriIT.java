package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.StatusRuntimeException;
import io.jrt.cri.v1.ContainerConfig;
import io.jrt.cri.v1.ListContainersRequest;
import io.jrt.cri.v1.ListPodSandboxRequest;
import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.PodSandboxConfig;
import io.jrt.nri.v1alpha1.CDIDevice;
import io.jrt.nri.v1alpha1.ConfigureResponse;
import io.jrt.nri.v1alpha1.Container;
import io.jrt.nri.v1alpha1.ContainerAdjustment;
import io.jrt.nri.v1alpha1.ContainerEviction;
import io.jrt.nri.v1alpha1.ContainerUpdate;
import io.jrt.nri.v1alpha1.CreateContainerRequest;
import io.jrt.nri.v1alpha1.CreateContainerResponse;
import io.jrt.nri.v1alpha1.Empty;
import io.jrt.nri.v1alpha1.Event;
import io.jrt.nri.v1alpha1.Hook;
import io.jrt.nri.v1alpha1.Hooks;
import io.jrt.nri.v1alpha1.KeyValue;
import io.jrt.nri.v1alpha1.LinuxContainerAdjustment;
import io.jrt.nri.v1alpha1.LinuxContainerUpdate;
import io.jrt.nri.v1alpha1.LinuxDevice;
import io.jrt.nri.v1alpha1.LinuxMemory;
import io.jrt.nri.v1alpha1.LinuxResources;
import io.jrt.nri.v1alpha1.LinuxSeccomp;
import io.jrt.nri.v1alpha1.Mount;
import io.jrt.nri.v1alpha1.OptionalInt;
import io.jrt.nri.v1alpha1.OptionalInt64;
import io.jrt.nri.v1alpha1.POSIXRlimit;
import io.jrt.nri.v1alpha1.PodSandbox;
import io.jrt.nri.v1alpha1.StateChangeEvent;
import io.jrt.nri.v1alpha1.StopContainerRequest;
import io.jrt.nri.v1alpha1.SynchronizeRequest;
import io.jrt.nri.v1alpha1.SynchronizeResponse;
import io.jrt.nri.v1alpha1.UpdateContainersRequest;
import io.jrt.nri.v1alpha1.UpdateContainersResponse;
import io.jrt.nri.v1alpha1.ValidateContainerAdjustmentResponse;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * NRI plugins at a whole daemon: what they hear, what they may change, and what becomes of bad
 * ones.
 */
class NriIT {
  private static Path home;
  private static Daemon daemon;
  private static Cri cri;
  private static String image;

  @BeforeAll
  static void start() throws Exception {
    home = Daemon.newHome();
    daemon =
        Daemon.start(
            home,
            """
            [nri]
            socket = '%s'
            request-timeout = '1s'
            """
                .formatted(socket()),
            Map.of());
    cri = daemon.cri();
    image = daemon.bundledImage();
  }

  @AfterAll
  static void stop() throws Exception {
    daemon.close();
  }

  @AfterEach
  void empty() {
    cri.removeEverything();
  }

  private static Path socket() {
    return home.resolve("nri/nri.sock");
  }

  private static NriTestPlugin plugin() throws Exception {
    return new NriTestPlugin(socket());
  }

  private static PodSandboxConfig pod(String name) {
    return Cri.pod(name, NamespaceMode.NODE, home.resolve("logs")).build();
  }

  private static ContainerConfig container(String name, String script) {
    return Cri.container(name, image, "sh", "-c", script).build();
  }

  private static CreateContainerResponse adjust(ContainerAdjustment.Builder adjustment) {
    return CreateContainerResponse.newBuilder().setAdjust(adjustment).build();
  }

  private static ContainerAdjustment.Builder linux(LinuxContainerAdjustment.Builder linux) {
    return ContainerAdjustment.newBuilder().setLinux(linux);
  }

  private static void await(BooleanSupplier condition, String what) {
    long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as(what).isLessThan(end);
      Daemon.sleep(20);
    }
  }

  @Test
  void aPluginHearsOfEverythingInOrder() throws Exception {
    try (NriTestPlugin plugin = plugin().register("10", "ear").awaitPart()) {
      PodSandboxConfig config = pod("heard");
      String podId = cri.runPod(config);
      String ends = cri.run(podId, config, container("ends", "exit 3"));
      cri.awaitExit(ends);
      // Its end is told without anybody asking for it.
      await(() -> plugin.methods().contains("StopContainer"), "the end of a container");
      cri.removePod(podId);

      assertThat(plugin.methods())
          .containsExactly(
              "Configure",
              "Synchronize",
              "RunPodSandbox",
              "CreateContainer",
              "ValidateContainerAdjustment",
              "PostCreateContainer",
              "StartContainer",
              "PostStartContainer",
              "StopContainer",
              "StopPodSandbox",
              "RemoveContainer",
              "RemovePodSandbox");
      CreateContainerRequest create =
          CreateContainerRequest.parseFrom(plugin.calls().get(3).payload());
      PodSandbox sandbox = create.getPod();
      assertThat(sandbox.getId()).isEqualTo(podId);
      assertThat(sandbox.getName()).isEqualTo("heard");
      assertThat(sandbox.getNamespace()).isEqualTo("it");
      assertThat(sandbox.getUid()).isEqualTo(config.getMetadata().getUid());
      Container made = create.getContainer();
      assertThat(made.getId()).isEqualTo(ends);
      assertThat(made.getPodSandboxId()).isEqualTo(podId);
      assertThat(made.getName()).isEqualTo("ends");
      assertThat(made.getArgsList()).containsExactly("sh", "-c", "exit 3");
      assertThat(made.getEnvList()).anyMatch(each -> each.startsWith("PATH="));
      Container stopped =
          StopContainerRequest.parseFrom(plugin.calls().get(8).payload()).getContainer();
      assertThat(stopped.getExitCode()).isEqualTo(3);
      assertThat(stopped.getStatusReason()).isEqualTo("Error");
    }
  }

  @Test
  void aPluginChangesWhatIsMade() throws Exception {
    Path shared = Files.createDirectories(home.resolve("shared"));
    Files.writeString(shared.resolve("file"), "from the plugin");
    try (NriTestPlugin plugin =
        plugin()
            .on(
                "CreateContainer",
                _ ->
                    adjust(
                        linux(
                                LinuxContainerAdjustment.newBuilder()
                                    .addDevices(
                                        LinuxDevice.newBuilder()
                                            .setPath("/dev/made")
                                            .setType("c")
                                            .setMajor(1)
                                            .setMinor(3))
                                    .setOomScoreAdj(OptionalInt.newBuilder().setValue(321))
                                    .setResources(memory(64L << 20)))
                            .putAnnotations("plugin", "was here")
                            .addEnv(KeyValue.newBuilder().setKey("-GONE"))
                            .addEnv(KeyValue.newBuilder().setKey("NEW").setValue("value"))
                            .addMounts(
                                Mount.newBuilder()
                                    .setDestination("/shared")
                                    .setSource(shared.toString())
                                    .setType("bind")
                                    .addOptions("rbind")
                                    .addOptions("ro"))
                            .addRlimits(
                                POSIXRlimit.newBuilder()
                                    .setType("RLIMIT_NOFILE")
                                    .setSoft(123)
                                    .setHard(456))
                            .addArgs("sh")
                            .addArgs("-c")
                            .addArgs("sleep 1000")))
            .register("10", "hand")
            .awaitPart()) {
      PodSandboxConfig config = pod("changed");
      String podId = cri.runPod(config);
      String id =
          cri.create(
              podId,
              config,
              container("changed", "exit 1").toBuilder()
                  .addEnvs(
                      io.jrt.cri.v1.KeyValue.newBuilder()
                          .setKey("GONE")
                          .setValue(ByteString.copyFromUtf8("x")))
                  .build());
      assertThat(plugin.methods()).contains("CreateContainer");
      // What was decided outlives the daemon and the plugin.
      plugin.leave();
      daemon.kill();
      daemon.restart();
      cri = daemon.cri();
      cri.start(id);
      String seen =
          cri.exec(
                  id,
                  "sh",
                  "-c",
                  "echo $NEW.$GONE; cat /shared/file; echo; touch /shared/x || echo ro;"
                      + " ulimit -n; ulimit -Hn; cat /proc/self/oom_score_adj;"
                      + " echo x > /dev/made && echo written")
              .getStdout()
              .toStringUtf8();
      assertThat(seen).isEqualTo("value.\nfrom the plugin\nro\n123\n456\n321\nwritten\n");
      assertThat(cri.status(id).getResources().getLinux().getMemoryLimitInBytes())
          .isEqualTo(64L << 20);
      assertThat(cri.status(id).getAnnotationsMap()).containsEntry("plugin", "was here");
      cri.removePod(podId);
    }
  }

  private static LinuxResources.Builder memory(long bytes) {
    return LinuxResources.newBuilder()
        .setMemory(LinuxMemory.newBuilder().setLimit(OptionalInt64.newBuilder().setValue(bytes)));
  }

  @Test
  void aPluginThatRefusesEndsTheCallAndLeavesNothing() throws Exception {
    CountDownLatch refusing = new CountDownLatch(1);
    try (NriTestPlugin plugin =
        plugin()
            .on(
                "RunPodSandbox",
                _ -> {
                  if (refusing.getCount() > 0) {
                    throw new IllegalStateException("no pods today");
                  }
                  return Empty.getDefaultInstance();
                })
            .on(
                "CreateContainer",
                _ -> {
                  throw new IllegalStateException("no containers either");
                })
            .register("10", "no")
            .awaitPart()) {
      PodSandboxConfig config = pod("refused");
      assertThatThrownBy(() -> cri.runPod(config))
          .isInstanceOf(StatusRuntimeException.class)
          .hasMessageContaining("nri plugin 10-no refuses pod")
          .hasMessageContaining("no pods today");
      assertThat(
              cri.runtime()
                  .listPodSandbox(ListPodSandboxRequest.getDefaultInstance())
                  .getItemsList())
          .isEmpty();
      refusing.countDown();
      String podId = cri.runPod(config);
      assertThatThrownBy(() -> cri.create(podId, config, container("refused", "true")))
          .hasMessageContaining("no containers either");
      assertThat(
              cri.runtime()
                  .listContainers(ListContainersRequest.getDefaultInstance())
                  .getContainersList())
          .isEmpty();
      // Its name is free again.
      plugin.on("CreateContainer", _ -> CreateContainerResponse.getDefaultInstance());
      cri.create(podId, config, container("refused", "true"));
      cri.removePod(podId);
    }
  }

  @Test
  void twoPluginsDoNotSetTheSameAndAThirdJudges() throws Exception {
    ContainerAdjustment.Builder wanted =
        ContainerAdjustment.newBuilder().addEnv(KeyValue.newBuilder().setKey("WHO").setValue("me"));
    try (NriTestPlugin second =
            plugin().on("CreateContainer", _ -> adjust(wanted)).register("20", "b").awaitPart();
        NriTestPlugin first =
            plugin().on("CreateContainer", _ -> adjust(wanted)).register("10", "a").awaitPart();
        NriTestPlugin judge =
            plugin()
                .on("Configure", _ -> events(Event.VALIDATE_CONTAINER_ADJUSTMENT))
                .on(
                    "ValidateContainerAdjustment",
                    _ ->
                        ValidateContainerAdjustmentResponse.newBuilder()
                            .setReject(true)
                            .setReason("not on my watch")
                            .build())
                .register("05", "judge")
                .awaitPart()) {
      PodSandboxConfig config = pod("disputed");
      String podId = cri.runPod(config);
      assertThatThrownBy(() -> cri.create(podId, config, container("disputed", "true")))
          .hasMessageContaining("nri plugins 10-a and 20-b both set Env WHO");
      second.on("CreateContainer", _ -> CreateContainerResponse.getDefaultInstance());
      assertThatThrownBy(() -> cri.create(podId, config, container("disputed", "true")))
          .hasMessageContaining("05-judge")
          .hasMessageContaining("not on my watch");
      assertThat(judge.methods()).doesNotContain("CreateContainer", "RunPodSandbox");
      // The later one sees what the earlier one wants.
      var seen =
          CreateContainerRequest.parseFrom(
              second.calls().stream()
                  .filter(call -> call.method().equals("CreateContainer"))
                  .toList()
                  .getLast()
                  .payload());
      assertThat(seen.getContainer().getEnvList()).contains("WHO=me");
      assertThat(first.methods()).contains("CreateContainer");
      cri.removePod(podId);
    }
  }

  private static ConfigureResponse events(Event... wanted) {
    int mask = 0;
    for (Event event : wanted) {
      mask |= 1 << (event.getNumber() - 1);
    }
    return ConfigureResponse.newBuilder().setEvents(mask).build();
  }

  @Test
  void whatJrtCannotDoIsRefusedByName() throws Exception {
    try (NriTestPlugin plugin =
        plugin()
            .on(
                "CreateContainer",
                _ ->
                    adjust(
                        linux(
                            LinuxContainerAdjustment.newBuilder()
                                .setSeccompPolicy(
                                    LinuxSeccomp.newBuilder().setDefaultAction("SCMP_ACT_ALLOW")))))
            .register("10", "filter")
            .awaitPart()) {
      PodSandboxConfig config = pod("wishful");
      String podId = cri.runPod(config);
      assertThatThrownBy(() -> cri.create(podId, config, container("wishful", "true")))
          .hasMessageContaining("nri plugin 10-filter asks for a seccomp policy");
      plugin.on(
          "CreateContainer",
          _ ->
              adjust(
                  ContainerAdjustment.newBuilder()
                      .addCDIDevices(CDIDevice.newBuilder().setName("vendor.com/gpu=none"))));
      assertThatThrownBy(() -> cri.create(podId, config, container("wishful", "true")))
          .hasMessageContaining("vendor.com/gpu=none");
      cri.removePod(podId);
    }
  }

  @Test
  void whatAPluginSaysIsReadLikeARequest() throws Exception {
    Map<String, ContainerAdjustment.Builder> refused =
        Map.of(
            "the mount destination \"etc\", which is not absolute",
            mount("etc", home.toString()),
            "the mount source \"volume\", which is not absolute",
            mount("/mnt", "volume"),
            "the size \"much\" is none",
            ContainerAdjustment.newBuilder()
                .addMounts(
                    Mount.newBuilder()
                        .setDestination("/mnt")
                        .setType("tmpfs")
                        .addOptions("size=much")),
            "the device path \"/dev/../x\" with dots",
            linux(
                LinuxContainerAdjustment.newBuilder()
                    .addDevices(LinuxDevice.newBuilder().setPath("/dev/../x").setType("c"))),
            "device /dev/x of the unknown type \"cat\"",
            linux(
                LinuxContainerAdjustment.newBuilder()
                    .addDevices(LinuxDevice.newBuilder().setPath("/dev/x").setType("cat"))),
            "hook /bin/true with a timeout of -1",
            ContainerAdjustment.newBuilder()
                .setHooks(
                    Hooks.newBuilder()
                        .addPrestart(
                            Hook.newBuilder()
                                .setPath("/bin/true")
                                .setTimeout(OptionalInt.newBuilder().setValue(-1)))));
    try (NriTestPlugin plugin = plugin().register("10", "careless").awaitPart()) {
      PodSandboxConfig config = pod("careful");
      String podId = cri.runPod(config);
      refused.forEach(
          (why, wanted) -> {
            plugin.on("CreateContainer", _ -> adjust(wanted));
            assertThatThrownBy(() -> cri.create(podId, config, container("careful", "true")))
                .hasMessageContaining("nri plugin 10-careless (nri) asks for")
                .hasMessageContaining(why);
          });
      cri.removePod(podId);
    }
  }

  private static ContainerAdjustment.Builder mount(String destination, String source) {
    return ContainerAdjustment.newBuilder()
        .addMounts(
            Mount.newBuilder().setDestination(destination).setSource(source).setType("bind"));
  }

  @Test
  void aPluginThatHangsIsLetGoAndTheCallGoesOn() throws Exception {
    CountDownLatch never = new CountDownLatch(1);
    try (NriTestPlugin plugin =
        plugin()
            .on(
                "RunPodSandbox",
                _ -> {
                  never.await();
                  return Empty.getDefaultInstance();
                })
            .register("10", "slow")
            .awaitPart()) {
      PodSandboxConfig config = pod("patient");
      cri.removePod(cri.runPod(config));
      assertThat(plugin.awaitEnd()).isTrue();
      assertThat(daemon.output()).contains("nri plugin 10-slow is let go");
    } finally {
      never.countDown();
    }
  }

  @Test
  void nonsenseEndsTheLinkOnly() throws Exception {
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket())))
        .isEqualTo("rw-------");
    byte[] tooLong = ByteBuffer.allocate(8).putInt(1).putInt(Integer.MAX_VALUE).array();
    byte[] badFrame =
        ByteBuffer.allocate(18)
            .putInt(2)
            .putInt(10)
            .putInt(-1)
            .putInt(1)
            .putShort((short) 1)
            .array();
    byte[] unasked =
        ByteBuffer.allocate(18)
            .putInt(1)
            .putInt(10)
            .putInt(0)
            .putInt(7)
            .putShort((short) 1)
            .array();
    for (byte[] bytes : List.of(tooLong, badFrame, unasked)) {
      try (NriTestPlugin plugin = plugin()) {
        plugin.sendRaw(bytes);
        assertThat(plugin.awaitEnd()).isTrue();
      }
    }
    try (NriTestPlugin plugin = plugin()) {
      assertThatThrownBy(() -> plugin.register("1", "short")).hasMessageContaining("two digits");
      assertThat(
              plugin
                  .call("UpdateContainers", UpdateContainersRequest.getDefaultInstance())
                  .getStatus()
                  .getMessage())
          .contains("has not registered");
    }
    try (NriTestPlugin plugin = plugin().register("10", "well").awaitPart()) {
      cri.removePod(cri.runPod(pod("unmoved")));
      assertThat(plugin.methods()).contains("RunPodSandbox");
    }
  }

  @Test
  void whoComesLateLearnsOfAllOnce() throws Exception {
    PodSandboxConfig config = pod("early");
    String podId = cri.runPod(config);
    String before = cri.run(podId, config, container("before", "sleep 1000"));
    CountDownLatch learning = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    try (NriTestPlugin plugin =
            plugin()
                .on(
                    "Synchronize",
                    payload -> {
                      learning.countDown();
                      goOn.await();
                      return SynchronizeResponse.newBuilder()
                          .setMore(SynchronizeRequest.parseFrom(payload).getMore())
                          .build();
                    });
        var side = Executors.newVirtualThreadPerTaskExecutor()) {
      plugin.register("10", "late");
      learning.await();
      Future<String> made =
          side.submit(() -> cri.create(podId, config, container("meanwhile", "true")));
      Daemon.sleep(200); // so that it is under way
      goOn.countDown();
      plugin.awaitPart();
      String meanwhile = made.get();
      SynchronizeRequest told = SynchronizeRequest.parseFrom(plugin.calls().get(1).payload());
      assertThat(told.getPodsList()).extracting(PodSandbox::getId).containsExactly(podId);
      assertThat(told.getContainersList()).extracting(Container::getId).containsExactly(before);
      assertThat(told.getContainers(0).getPid()).isPositive();
      await(() -> plugin.methods().contains("PostCreateContainer"), "the one made meanwhile");
      assertThat(
              CreateContainerRequest.parseFrom(plugin.calls().get(2).payload())
                  .getContainer()
                  .getId())
          .isEqualTo(meanwhile);
      cri.removePod(podId);
    }
  }

  @Test
  void aPluginAsksForOtherLimitsByItself() throws Exception {
    PodSandboxConfig config = pod("limited");
    String podId = cri.runPod(config);
    String id = cri.run(podId, config, container("limited", "sleep 1000"));
    try (NriTestPlugin plugin = plugin().register("10", "tuner").awaitPart()) {
      var response =
          plugin.call(
              "UpdateContainers",
              UpdateContainersRequest.newBuilder()
                  .addUpdate(update(id, 77L << 20))
                  .addUpdate(update("nobody", 1L << 20))
                  .build());
      assertThat(UpdateContainersResponse.parseFrom(response.getPayload()).getFailedList())
          .extracting(ContainerUpdate::getContainerId)
          .containsExactly("nobody");
      assertThat(cri.status(id).getResources().getLinux().getMemoryLimitInBytes())
          .isEqualTo(77L << 20);
      assertThat(
              plugin
                  .call(
                      "UpdateContainers",
                      UpdateContainersRequest.newBuilder()
                          .addEvict(ContainerEviction.newBuilder().setContainerId(id))
                          .build())
                  .getStatus()
                  .getMessage())
          .contains("kubelet");
      cri.removePod(podId);
    }
  }

  private static ContainerUpdate update(String id, long memory) {
    return ContainerUpdate.newBuilder()
        .setContainerId(id)
        .setLinux(LinuxContainerUpdate.newBuilder().setResources(memory(memory)))
        .build();
  }

  @Test
  void aPluginOfBeforeHearsOfChangesOfState() throws Exception {
    try (NriTestPlugin plugin =
        plugin()
            .without("RunPodSandbox", "StartContainer", "RemovePodSandbox")
            .register("10", "old")
            .awaitPart()) {
      PodSandboxConfig config = pod("old");
      String podId = cri.runPod(config);
      cri.run(podId, config, container("old", "sleep 1000"));
      cri.removePod(podId);
      assertThat(
              plugin.calls().stream()
                  .filter(call -> call.method().equals("StateChange"))
                  .map(
                      call -> {
                        try {
                          return StateChangeEvent.parseFrom(call.payload()).getEvent();
                        } catch (InvalidProtocolBufferException e) {
                          throw new IllegalStateException(e);
                        }
                      }))
          .containsExactly(Event.RUN_POD_SANDBOX, Event.START_CONTAINER, Event.REMOVE_POD_SANDBOX);
    }
  }
}
