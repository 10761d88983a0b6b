package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A real kubelet, alone on its node, runs static pods by jrt: {@code kubelet} on the PATH, or in
 * the directory that {@code JRT_IT_KUBELET} names. It has a root, a cgroup and ports of its own.
 */
class KubeletIT {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final String GATES =
      "UserNamespacesSupport=true,PodAndContainerStatsFromCRI=true,EventedPLEG=true";

  /** Where a kubelet has its pods' logs, unless its configuration file says otherwise. */
  private static final Path LOGS = Path.of("/var/log/pods");

  private final HttpPort kubeletPort = HttpPort.free();
  private final HttpPort hostPort = HttpPort.free();
  private final boolean hadLogs = Files.exists(LOGS);
  private @Nullable KubeletCgroup cgroup;
  private @Nullable Process kubelet;
  private @Nullable Daemon daemon;

  private record HttpPort(int number) {
    static HttpPort free() {
      try (ServerSocket socket = new ServerSocket(0)) {
        return new HttpPort(socket.getLocalPort());
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
    }

    String get(String path) throws IOException {
      URLConnection connection =
          URI.create("http://127.0.0.1:" + number + path).toURL().openConnection();
      connection.setConnectTimeout(5000);
      connection.setReadTimeout(10_000);
      try (InputStream body = connection.getInputStream()) {
        return new String(body.readAllBytes(), StandardCharsets.UTF_8);
      }
    }
  }

  private static Optional<Path> program() {
    return Stream.of(System.getenv("JRT_IT_KUBELET"), System.getenv("PATH"))
        .filter(directories -> directories != null)
        .flatMap(directories -> Stream.of(directories.split(":", -1)))
        .map(directory -> Path.of(directory, "kubelet"))
        .filter(Files::isExecutable)
        .findFirst();
  }

  private Daemon node() {
    Daemon running = daemon;
    if (running == null) {
      throw new IllegalStateException("no daemon");
    }
    return running;
  }

  private Path home() {
    return node().home().resolve("kubelet");
  }

  @BeforeEach
  void start() throws Exception {
    Optional<Path> program = program();
    assumeTrue(program.isPresent(), "there is no kubelet here");
    daemon = Daemon.start(Daemon.ownRange());
    node().bundledImage();
    Files.createDirectories(home().resolve("manifests"));
    String name = "jrt-kubelet-" + ProcessHandle.current().pid();
    cgroup = KubeletCgroup.make(name);
    List<String> command =
        List.of(
            program.get().toString(),
            "--root-dir=" + home().resolve("root"),
            "--cert-dir=" + home().resolve("certs"),
            "--volume-plugin-dir=" + home().resolve("plugins"),
            "--pod-manifest-path=" + home().resolve("manifests"),
            "--file-check-frequency=1s",
            "--container-runtime-endpoint=unix://" + node().socket(),
            "--cgroup-root=/" + name,
            "--hostname-override=node",
            "--address=127.0.0.1",
            "--read-only-port=" + kubeletPort.number(),
            "--healthz-port=0",
            "--fail-swap-on=false",
            "--fail-cgroupv1=false",
            "--make-iptables-util-chains=false",
            "--eviction-hard=memory.available<1Mi",
            "--feature-gates=" + GATES);
    kubelet =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(home().resolve("log").toFile())
            .start();
  }

  @AfterEach
  void stop() throws Exception {
    Process running = kubelet;
    if (running != null) {
      running.destroy();
      if (!running.waitFor(20, TimeUnit.SECONDS)) {
        running.destroyForcibly().waitFor();
      }
    }
    if (daemon == null) {
      return;
    }
    node().cri().removeEverything();
    if (!hadLogs) {
      new ProcessBuilder("rm", "-rf", LOGS.toString()).start().waitFor();
    }
    for (String line : Files.readAllLines(Path.of("/proc/self/mounts")).reversed()) {
      String mount = line.split(" ")[1];
      if (mount.startsWith(home() + "/")) {
        new ProcessBuilder("umount", "-l", mount).start().waitFor();
      }
    }
    KubeletCgroup made = cgroup;
    if (made != null) {
      made.remove();
    }
    node().close();
  }

  private void manifest(String name, String pod) throws IOException {
    Path file = home().resolve("manifests").resolve(name + ".yaml");
    Files.writeString(file, "apiVersion: v1\nkind: Pod\n" + pod);
  }

  /** An init container, a sidecar, probes of two kinds, a hook, limits, and volumes. */
  private static String web(int port) {
    return """
    metadata: {name: web, namespace: default}
    spec:
      terminationGracePeriodSeconds: 3
      initContainers:
      - name: first
        image: localhost/jrt-busybox:latest
        imagePullPolicy: Never
        command: [sh, -c, "echo made-by-init > /w/index.html"]
        volumeMounts: [{name: w, mountPath: /w}]
      - name: side
        image: localhost/jrt-busybox:latest
        imagePullPolicy: Never
        restartPolicy: Always
        command: [sh, -c, "while :; do echo side; sleep 5; done"]
        startupProbe: {exec: {command: ["true"]}, periodSeconds: 1}
      containers:
      - name: httpd
        image: localhost/jrt-busybox:latest
        imagePullPolicy: Never
        command: [httpd, -f, -p, "8080", -h, /w]
        ports: [{containerPort: 8080, hostPort: %d}]
        resources: {limits: {cpu: 500m, memory: 64Mi}}
        securityContext:
          readOnlyRootFilesystem: true
          allowPrivilegeEscalation: false
          runAsUser: 1000
          capabilities: {drop: [ALL]}
          seccompProfile: {type: RuntimeDefault}
        livenessProbe: {httpGet: {path: /index.html, port: 8080}, periodSeconds: 1}
        readinessProbe: {exec: {command: [cat, /w/posted]}, periodSeconds: 1}
        lifecycle: {postStart: {exec: {command: [sh, -c, "echo x > /w/posted"]}}}
        volumeMounts:
        - {name: w, mountPath: /w}
        - {name: mem, mountPath: /mem}
        - {name: etc, mountPath: /node-etc, readOnly: true, recursiveReadOnly: IfPossible}
      volumes:
      - {name: w, emptyDir: {}}
      - {name: mem, emptyDir: {medium: Memory, sizeLimit: 4Mi}}
      - {name: etc, hostPath: {path: /etc, type: Directory}}
    """
        .formatted(port);
  }

  private static String pod(String name, String spec, String... containers) {
    StringBuilder text =
        new StringBuilder("metadata: {name: %s, namespace: default}\nspec:\n".formatted(name));
    spec.lines().forEach(line -> text.append("  ").append(line).append('\n'));
    text.append("  containers:\n");
    for (String container : containers) {
      text.append(
          "  - {image: \"localhost/jrt-busybox:latest\", imagePullPolicy: Never, %s}\n"
              .formatted(container));
    }
    return text.toString();
  }

  /** What the kubelet says of a pod, once it is as wanted. */
  private JsonNode await(String name, String what, Predicate<JsonNode> wanted) throws IOException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    String pods = "";
    while (System.nanoTime() < end) {
      try {
        pods = kubeletPort.get("/pods");
        for (JsonNode pod : JsonMapper.shared().readTree(pods).path("items")) {
          if (pod.at("/metadata/name").asString("").equals(name + "-node")
              && wanted.test(pod.path("status"))) {
            return pod.path("status");
          }
        }
      } catch (IOException e) {
        pods = e.toString();
      }
      Daemon.sleep(200);
    }
    throw new AssertionError(
        "pod %s is not %s: %s%n%s"
            .formatted(name, what, pods, Files.readString(home().resolve("log"))));
  }

  private static boolean ready(JsonNode status) {
    for (JsonNode condition : status.path("conditions")) {
      if (condition.path("type").asString("").equals("Ready")) {
        return condition.path("status").asString("").equals("True");
      }
    }
    return false;
  }

  private static boolean failed(JsonNode status) {
    return status.path("phase").asString("").equals("Failed");
  }

  private static JsonNode container(JsonNode status, String name) {
    for (JsonNode container : status.path("containerStatuses")) {
      if (container.path("name").asString("").equals(name)) {
        return container;
      }
    }
    throw new AssertionError("no container " + name + " in " + status);
  }

  @Test
  void podsOfAllKindsRunAndOutliveTheDaemon() throws Exception {
    manifest("web", web(hostPort.number()));
    manifest(
        "crash",
        pod(
            "crash",
            "restartPolicy: Always",
            "name: c, command: [sh, -c, \"echo because >/dev/termination-log; exit 3\"]"));
    manifest(
        "oom",
        pod(
            "oom",
            "restartPolicy: Never",
            "name: c, command: [tail, /dev/zero], resources: {limits: {memory: 32Mi}}"));
    manifest(
        "job",
        pod(
            "job",
            "restartPolicy: Never",
            "name: good, command: [echo, done]",
            "name: missing, command: [/no/such]"));
    manifest(
        "own-users",
        pod(
            "own-users",
            "hostUsers: false\nshareProcessNamespace: true",
            "name: a, command: [sleep, \"100000\"]",
            "name: b, command: [sleep, \"100000\"]"));
    manifest(
        "of-node",
        pod(
            "of-node",
            "hostNetwork: true\nhostPID: true",
            "name: c, command: [sleep, \"100000\"], securityContext: {privileged: true}"));

    JsonNode web = await("web", "ready", KubeletIT::ready);
    assertThat(hostPort.get("/index.html")).isEqualTo("made-by-init\n");
    await("own-users", "ready", KubeletIT::ready);
    await("of-node", "ready", KubeletIT::ready);
    JsonNode oom = await("oom", "failed", KubeletIT::failed);
    assertThat(container(oom, "c").at("/state/terminated/reason").asString(""))
        .isEqualTo("OOMKilled");
    JsonNode job = await("job", "failed", KubeletIT::failed);
    assertThat(container(job, "good").at("/state/terminated/reason").asString(""))
        .isEqualTo("Completed");
    assertThat(container(job, "missing").at("/state/terminated/message").asString(""))
        .isEqualTo("exec /no/such: no such file in the image");
    JsonNode crash =
        await(
            "crash",
            "restarted",
            status ->
                status.path("containerStatuses").path(0).path("restartCount").asInt(0) > 0
                    && status
                        .path("containerStatuses")
                        .path(0)
                        .path("lastState")
                        .has("terminated"));
    assertThat(container(crash, "c").at("/lastState/terminated/exitCode").asInt(0)).isEqualTo(3);
    assertThat(container(crash, "c").at("/lastState/terminated/message").asString(""))
        .isEqualTo("because\n");
    statisticsAreThere();

    node().kill();
    node().restart();
    manifest("late", pod("late", "", "name: c, command: [sleep, \"100000\"]"));
    await("late", "ready", KubeletIT::ready);
    JsonNode after = await("web", "ready", KubeletIT::ready);
    assertThat(container(after, "httpd").path("containerID"))
        .isEqualTo(container(web, "httpd").path("containerID"));
    assertThat(container(after, "httpd").path("restartCount").asInt(-1)).isZero();

    for (String name : List.of("web", "crash", "oom", "job", "own-users", "of-node", "late")) {
      Files.delete(home().resolve("manifests").resolve(name + ".yaml"));
    }
    awaitEmptyNode();
  }

  private void statisticsAreThere() throws IOException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (System.nanoTime() < end) {
      JsonNode summary = JsonMapper.shared().readTree(kubeletPort.get("/stats/summary"));
      for (JsonNode pod : summary.path("pods")) {
        if (pod.at("/podRef/name").asString("").equals("web-node")
            && pod.at("/memory/workingSetBytes").asLong(0) > 0
            && pod.at("/network/rxBytes").asLong(0) > 0) {
          assertThat(kubeletPort.get("/metrics/cadvisor"))
              .contains("container_memory_working_set_bytes{container=\"httpd\"");
          return;
        }
      }
      Daemon.sleep(500);
    }
    throw new AssertionError("no statistics of the pod: " + kubeletPort.get("/stats/summary"));
  }

  /** The kubelet has stopped all pods and let go of their volumes. */
  private void awaitEmptyNode() throws IOException, InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      boolean running =
          node().jrt("pods", "--format", "{state}").ok().lines().anyMatch("ready"::equals);
      boolean mounted =
          Files.readString(Path.of("/proc/self/mounts")).contains(home() + "/root/pods/");
      if (!running && !mounted) {
        return;
      }
      assertThat(System.nanoTime())
          .as("running %s, mounted %s: %s", running, mounted, home().resolve("log"))
          .isLessThan(end);
      Daemon.sleep(200);
    }
  }
}
