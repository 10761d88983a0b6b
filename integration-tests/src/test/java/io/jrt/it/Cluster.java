package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A Kubernetes cluster of one node, in a network of its own: etcd, API server, controllers,
 * scheduler and a kubelet on a daemon, spoken to by kubectl. The programs lie in the directory that
 * {@code JRT_IT_CLUSTER} names; kube-proxy runs where it is among them.
 */
final class Cluster implements AutoCloseable {
  private static final List<String> PROGRAMS =
      List.of(
          "etcd",
          "kube-apiserver",
          "kube-controller-manager",
          "kube-scheduler",
          "kubelet",
          "kubectl");

  /** A busy machine starts a control plane slowly. */
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  /** Of the node, on an interface that leads nowhere. */
  static final String ADDRESS = "172.31.255.1";

  private static final Path LOG_LINKS = Path.of("/var/log/containers");

  private final Path programs;
  private final OwnNetwork network;
  private final Daemon node;
  private final KubeletCgroup cgroup;
  private final HostileRegistry registry;
  private final String image;
  private final boolean hadLogLinks = Files.exists(LOG_LINKS);
  private final List<Process> processes = new ArrayList<>();

  private Cluster(
      Path programs,
      OwnNetwork network,
      Daemon node,
      KubeletCgroup cgroup,
      HostileRegistry registry,
      String image) {
    this.programs = programs;
    this.network = network;
    this.node = node;
    this.cgroup = cgroup;
    this.registry = registry;
    this.image = image;
  }

  /** Starts one, or skips the test where its programs are not there. */
  static Cluster start() throws Exception {
    Path programs = programs();
    Path home = Daemon.newHome();
    OwnNetwork network = OwnNetwork.make(home.resolve("node-net"));
    network.run("ip", "link", "add", "node0", "type", "veth", "peer", "name", "node1");
    network.run("ip", "address", "add", ADDRESS + "/24", "dev", "node0");
    network.run("ip", "link", "set", "node1", "up");
    network.run("ip", "link", "set", "node0", "up");
    network.run("ip", "route", "add", "default", "dev", "node0");
    HostileRegistry registry = HostileRegistry.in(network);
    String image = registry.push("it/busybox", Workloads.busybox());
    Daemon node = Daemon.startIn(network, home, "");
    KubeletCgroup cgroup = KubeletCgroup.make("jrt-cluster-" + ProcessHandle.current().pid());
    Cluster cluster = new Cluster(programs, network, node, cgroup, registry, image);
    try {
      cluster.controlPlane();
      cluster.kubelet();
      cluster.await("node", "ready", Cluster::ready, "node", "node");
      cluster.await("account", "there", _ -> true, "serviceaccount", "default");
      return cluster;
    } catch (Exception | AssertionError e) {
      try {
        cluster.close();
      } catch (IOException | RuntimeException | AssertionError more) {
        e.addSuppressed(more);
      }
      throw e;
    }
  }

  private static Path programs() {
    String named = System.getenv("JRT_IT_CLUSTER");
    assumeTrue(named != null, "JRT_IT_CLUSTER names a directory with " + PROGRAMS);
    Path programs = Path.of(named);
    List<String> missing =
        PROGRAMS.stream().filter(name -> !Files.isExecutable(programs.resolve(name))).toList();
    assertThat(missing).as("what %s lacks", named).isEmpty();
    return programs;
  }

  Daemon node() {
    return node;
  }

  HostileRegistry registry() {
    return registry;
  }

  /** busybox, in the registry. */
  String image() {
    return image;
  }

  OwnNetwork network() {
    return network;
  }

  Path home() {
    return node.home();
  }

  private Path kubeconfig(String user) {
    return home().resolve(user + ".kubeconfig");
  }

  private void controlPlane() throws Exception {
    ServerKey key = ServerKey.make(home());
    Path tokens =
        Files.writeString(
            home().resolve("tokens.csv"),
            """
            admin,admin,1,system:masters
            kubelet,system:node:node,2,system:nodes
            """);
    writeKubeconfig("admin", key);
    writeKubeconfig("kubelet", key);
    run(
        "etcd",
        "--data-dir=" + home().resolve("etcd"),
        "--unsafe-no-fsync",
        "--listen-client-urls=http://127.0.0.1:2379",
        "--advertise-client-urls=http://127.0.0.1:2379",
        "--listen-peer-urls=http://127.0.0.1:2380",
        "--initial-advertise-peer-urls=http://127.0.0.1:2380",
        "--initial-cluster=default=http://127.0.0.1:2380");
    run(
        "kube-apiserver",
        "--etcd-servers=http://127.0.0.1:2379",
        "--advertise-address=" + ADDRESS,
        "--cert-dir=" + home().resolve("apiserver"),
        "--tls-cert-file=" + key.certificate(),
        "--tls-private-key-file=" + key.key(),
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-account-key-file=" + key.certificate(),
        "--service-account-signing-key-file=" + key.key(),
        "--service-cluster-ip-range=10.96.0.0/16",
        "--token-auth-file=" + tokens,
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--kubelet-preferred-address-types=InternalIP",
        "--allow-privileged=true");
    awaitApi();
    run(
        "kube-controller-manager",
        "--kubeconfig=" + kubeconfig("admin"),
        "--cert-dir=" + home().resolve("controllers"),
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        "--service-account-private-key-file=" + key.key(),
        "--root-ca-file=" + key.certificate(),
        "--allocate-node-cidrs=true",
        "--cluster-cidr=10.244.0.0/16",
        "--service-cluster-ip-range=10.96.0.0/16");
    run(
        "kube-scheduler",
        "--kubeconfig=" + kubeconfig("admin"),
        "--bind-address=127.0.0.1",
        "--leader-elect=false");
    if (hasServices()) {
      run(
          "kube-proxy",
          "--kubeconfig=" + kubeconfig("admin"),
          "--proxy-mode=nftables",
          "--hostname-override=node",
          "--conntrack-max-per-core=0",
          "--cluster-cidr=10.244.0.0/16");
    }
  }

  /** Whether there is a kube-proxy. */
  boolean hasServices() {
    return Files.isExecutable(programs.resolve("kube-proxy"));
  }

  private void writeKubeconfig(String user, ServerKey key) throws IOException {
    Files.writeString(
        kubeconfig(user),
        """
        apiVersion: v1
        kind: Config
        current-context: here
        contexts: [{name: here, context: {cluster: here, user: %s}}]
        clusters:
        - name: here
          cluster: {server: "https://127.0.0.1:6443", certificate-authority: %s}
        users: [{name: %s, user: {token: %s}}]
        """
            .formatted(user, key.certificate(), user, user));
  }

  private void kubelet() throws IOException {
    Path config = home().resolve("kubelet.yaml");
    Files.writeString(
        config,
        """
        apiVersion: kubelet.config.k8s.io/v1beta1
        kind: KubeletConfiguration
        containerRuntimeEndpoint: unix://%s
        authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
        authorization: {mode: AlwaysAllow}
        cgroupRoot: /%s
        failCgroupV1: false
        failSwapOn: false
        makeIPTablesUtilChains: false
        podLogsDir: %s
        volumePluginDir: %s
        evictionHard: {memory.available: 1Mi, nodefs.available: 1Mi, imagefs.available: 1Mi}
        imageGCHighThresholdPercent: 99
        imageGCLowThresholdPercent: 98
        serializeImagePulls: false
        nodeStatusUpdateFrequency: 2s
        maxPods: 250
        """
            .formatted(
                node.socket(), cgroup.name(), home().resolve("l"), home().resolve("plugins")));
    run(
        "kubelet",
        "--config=" + config,
        "--kubeconfig=" + kubeconfig("kubelet"),
        "--root-dir=" + home().resolve("kubelet"),
        "--cert-dir=" + home().resolve("kubelet-certs"),
        "--hostname-override=node",
        "--node-ip=" + ADDRESS);
  }

  private void run(String program, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(network.prefix());
    command.add(programs.resolve(program).toString());
    command.addAll(List.of(arguments));
    processes.add(
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(home().resolve(program + ".log").toFile())
            .start());
  }

  private void awaitApi() throws Exception {
    long end = System.nanoTime() + PATIENCE.toNanos();
    Daemon.Result answer = kubectl("get", "--raw", "/readyz");
    while (answer.code() != 0) {
      assertThat(System.nanoTime()).as("%s%n%s", answer.err(), logs()).isLessThan(end);
      Daemon.sleep(200);
      answer = kubectl("get", "--raw", "/readyz");
    }
  }

  /** kubectl with these arguments, to be started. */
  ProcessBuilder command(String... words) {
    List<String> command = new ArrayList<>(network.prefix());
    command.add(programs.resolve("kubectl").toString());
    command.addAll(List.of(words));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("KUBECONFIG", kubeconfig("admin").toString());
    builder.environment().put("KUBECACHEDIR", home().resolve("kubectl").toString());
    return builder;
  }

  /** What a shell needs to find kubectl and the cluster. */
  String shell(String environment) {
    return "exec env PATH=%s:$PATH KUBECONFIG=%s KUBECACHEDIR=%s PS1='host> ' %s %s bash --norc"
        .formatted(
            programs,
            kubeconfig("admin"),
            home().resolve("kubectl"),
            environment,
            String.join(" ", network.prefix()));
  }

  Daemon.Result kubectl(String... words) throws IOException, InterruptedException {
    return kubectl(Map.of(), new byte[0], words);
  }

  /** Runs kubectl with this environment on these bytes. */
  Daemon.Result kubectl(Map<String, String> environment, byte[] input, String... words)
      throws IOException, InterruptedException {
    ProcessBuilder builder = command(words);
    builder.environment().putAll(environment);
    Path out = Files.createTempFile(home(), "kubectl-", ".out");
    Path err = Files.createTempFile(home(), "kubectl-", ".err");
    Process client = builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start();
    Thread.ofVirtual().start(() -> feed(input, client));
    boolean ended = client.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    client.destroyForcibly();
    Daemon.Result result =
        new Daemon.Result(
            ended ? client.waitFor() : -1, Files.readString(out), Files.readString(err));
    Files.delete(out);
    Files.delete(err);
    assertThat(ended).as("kubectl %s ends: %s", Arrays.toString(words), result).isTrue();
    return result;
  }

  private static void feed(byte[] input, Process client) {
    try (OutputStream in = client.getOutputStream()) {
      in.write(input);
    } catch (IOException e) {
      // It read no more of it, as it may; what became of it, its exit code tells.
      Thread.currentThread().interrupt();
    }
  }

  void apply(String yaml) throws IOException, InterruptedException {
    kubectl(Map.of(), yaml.getBytes(StandardCharsets.UTF_8), "apply", "-f", "-").ok();
  }

  /** Makes a pod; {@code spec} is YAML in block style. */
  void pod(String name, String spec) throws IOException, InterruptedException {
    apply(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: %s, labels: {app: %s}}\nspec:\n%s"
            .formatted(name, name, spec.indent(2)));
  }

  /** A container of the image as an item of YAML, with more of its keys in flow style. */
  String container(String name, String script, String... more) {
    String rest = more.length == 0 ? "" : ", " + String.join(", ", more);
    return "- {name: %s, image: \"%s\", command: [sh, -c, \"%s\"]%s}\n"
        .formatted(name, image, script, rest);
  }

  /** What a command in a pod wrote, which must have worked. */
  String exec(String pod, String... command) throws IOException, InterruptedException {
    return kubectl(
            Stream.concat(Stream.of("exec", pod, "--"), Stream.of(command)).toArray(String[]::new))
        .ok();
  }

  /** What the API server has of something. */
  JsonNode get(String... words) throws IOException, InterruptedException {
    return JsonMapper.shared().readTree(kubectl(getting(words)).ok());
  }

  private static String[] getting(String... words) {
    Stream<String> get =
        words[0].equals("--raw") ? Stream.of("get") : Stream.of("get", "-o", "json");
    return Stream.concat(get, Stream.of(words)).toArray(String[]::new);
  }

  /** Waits until something is as wanted; what the API server has of it then. */
  JsonNode await(String name, String what, Predicate<JsonNode> wanted, String... words)
      throws IOException, InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      Daemon.Result answer = kubectl(getting(words));
      if (answer.code() == 0) {
        JsonNode found = JsonMapper.shared().readTree(answer.out());
        if (wanted.test(found)) {
          return found;
        }
      }
      if (System.nanoTime() > end) {
        throw new AssertionError(
            "%s is not %s: %s%s%n%s%n%s"
                .formatted(
                    name, what, answer.out(), answer.err(), kubectl("events").out(), logs()));
      }
      Daemon.sleep(200);
    }
  }

  JsonNode awaitPod(String name, String what, Predicate<JsonNode> wanted)
      throws IOException, InterruptedException {
    return await("pod " + name, what, wanted, "pod", name);
  }

  JsonNode awaitReady(String pod) throws IOException, InterruptedException {
    return awaitPod(pod, "ready", Cluster::ready);
  }

  JsonNode awaitPhase(String pod, String phase) throws IOException, InterruptedException {
    return awaitPod(pod, phase, found -> found.at("/status/phase").asString("").equals(phase));
  }

  /** Whether the condition Ready of a pod or node is true. */
  static boolean ready(JsonNode object) {
    for (JsonNode condition : object.at("/status/conditions")) {
      if (condition.path("type").asString("").equals("Ready")) {
        return condition.path("status").asString("").equals("True");
      }
    }
    return false;
  }

  /** The status of a container of whatever kind. */
  static JsonNode container(JsonNode pod, String name) {
    for (String kind :
        List.of("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")) {
      for (JsonNode container : pod.path("status").path(kind)) {
        if (container.path("name").asString("").equals(name)) {
          return container;
        }
      }
    }
    return JsonMapper.shared().missingNode();
  }

  /** How a container of a pod has ended; empty as long as it has not. */
  static String terminated(JsonNode pod, String container, String field) {
    return container(pod, container).at("/state/terminated/" + field).asString("");
  }

  /** Deletes pods without waiting for their grace. */
  void delete(String... what) throws IOException, InterruptedException {
    List<String> words = new ArrayList<>(List.of("delete", "--now", "--ignore-not-found"));
    words.addAll(List.of(what));
    kubectl(words.toArray(String[]::new)).ok();
  }

  /** The last lines of everyone's log. */
  String logs() throws IOException {
    StringBuilder logs = new StringBuilder();
    List<Path> files;
    try (Stream<Path> all = Files.list(home())) {
      files = all.filter(file -> file.toString().endsWith(".log")).sorted().toList();
    }
    for (Path file : files) {
      List<String> lines = Files.readAllLines(file);
      logs.append("== ").append(file).append('\n');
      lines
          .subList(Math.max(0, lines.size() - 40), lines.size())
          .forEach(line -> logs.append(line).append('\n'));
    }
    return logs.toString();
  }

  /** Asks a process to end, and makes it. */
  static void end(Process process) {
    process.destroy();
    try {
      if (!process.waitFor(20, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private static void helper(String... words) throws IOException {
    try {
      new ProcessBuilder(words).inheritIO().start().waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() throws IOException {
    registry.close();
    // The node first, so that nobody asks it for what is taken away here.
    processes.reversed().forEach(Cluster::end);
    try {
      node.cri().removeEverything();
      for (String line : Files.readAllLines(Path.of("/proc/self/mounts")).reversed()) {
        String mount = line.split(" ")[1];
        if ((mount + "/").startsWith(home().resolve("kubelet") + "/")) {
          helper("umount", "-l", mount);
        }
      }
      cgroup.remove();
      if (!hadLogLinks) {
        helper("rm", "-rf", LOG_LINKS.toString());
      }
    } finally {
      try {
        node.close();
      } finally {
        network.close();
      }
    }
  }
}
