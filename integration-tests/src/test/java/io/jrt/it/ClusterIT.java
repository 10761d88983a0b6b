package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/**
 * A node of a whole Kubernetes, worked by its controllers and kubectl. Skipped unless {@code
 * JRT_IT_CLUSTER} names a directory with Kubernetes' programs and etcd.
 */
class ClusterIT {
  private static Cluster cluster;

  @BeforeAll
  static void start() throws Exception {
    cluster = Cluster.start();
  }

  @AfterAll
  static void stop() throws Exception {
    if (cluster != null) {
      cluster.close();
    }
  }

  @Test
  void theNodeTellsItsRuntime() throws Exception {
    JsonNode node = cluster.get("node", "node");
    assertThat(node.at("/status/nodeInfo/containerRuntimeVersion").asString(""))
        .startsWith("jrt://");
    assertThat(node.at("/spec/podCIDR").asString("")).startsWith("10.244.");
    assertThat(node.at("/status/features/supplementalGroupsPolicy").asBoolean(false)).isTrue();
    assertThat(node.at("/status/runtimeHandlers").toString())
        .contains("\"userNamespaces\":true", "\"recursiveReadOnlyMounts\":true");
  }

  @Test
  void aDeploymentRollsOutAndScales() throws Exception {
    cluster
        .kubectl("create", "deployment", "web", "--image=" + cluster.image(), "--", "sleep", "1000")
        .ok();
    cluster.kubectl("scale", "deployment", "web", "--replicas=3").ok();
    cluster.kubectl("rollout", "status", "deployment", "web", "--timeout=2m").ok();
    cluster.kubectl("set", "env", "deployment/web", "NEW=yes").ok();
    cluster.kubectl("rollout", "status", "deployment", "web", "--timeout=2m").ok();
    assertThat(cluster.kubectl("exec", "deploy/web", "--", "sh", "-c", "echo $NEW").ok())
        .isEqualTo("yes\n");
    cluster.kubectl("rollout", "undo", "deployment", "web").ok();
    cluster.kubectl("rollout", "status", "deployment", "web", "--timeout=2m").ok();
    cluster.kubectl("scale", "deployment", "web", "--replicas=0").ok();
    cluster.delete("deployment", "web");
    cluster.await(
        "web's pods", "gone", pods -> pods.path("items").isEmpty(), "pods", "-l", "app=web");
  }

  @Test
  void aJobRetriesUntilItSucceeds() throws Exception {
    Path counter = Files.createDirectories(cluster.home().resolve("counter"));
    cluster.apply(
        """
        apiVersion: batch/v1
        kind: Job
        metadata: {name: stubborn}
        spec:
          backoffLimit: 3
          template:
            spec:
              restartPolicy: OnFailure
              volumes: [{name: d, hostPath: {path: %s}}]
              containers:
              - name: c
                image: "%s"
                command: [sh, -c, "test -e /d/x && exit 0; touch /d/x; echo no >/dev/termination-log; exit 7"]
                volumeMounts: [{name: d, mountPath: /d}]
        """
            .formatted(counter, cluster.image()));
    cluster.kubectl("wait", "--for=condition=complete", "job/stubborn", "--timeout=2m").ok();
    JsonNode pods = cluster.get("pods", "-l", "job-name=stubborn");
    JsonNode last = Cluster.container(pods.at("/items/0"), "c").at("/lastState/terminated");
    assertThat(last.path("exitCode").asInt(0)).isEqualTo(7);
    assertThat(last.path("message").asString("")).isEqualTo("no\n");
    assertThat(last.path("reason").asString("")).isEqualTo("Error");
    cluster.delete("job", "stubborn");
  }

  @Test
  void imagesThatCannotBeHadAreNamed() throws Exception {
    String missing = cluster.registry().address() + "/it/none:1";
    cluster.kubectl("run", "missing", "--image=" + missing).ok();
    cluster.awaitPod(
        "missing",
        "backing off",
        pod ->
            Cluster.container(pod, "missing")
                .at("/state/waiting/reason")
                .asString("")
                .equals("ImagePullBackOff"));
    assertThat(cluster.kubectl("describe", "pod", "missing").ok())
        .contains("Failed to pull image \"" + missing + "\"", missing + " is not at ");
    cluster
        .kubectl(
            "run",
            "program",
            "--image=" + cluster.image(),
            "--restart=Never",
            "--command",
            "--",
            "/no/such")
        .ok();
    JsonNode pod = cluster.awaitPhase("program", "Failed");
    assertThat(Cluster.terminated(pod, "program", "message")).contains("/no/such");
    cluster.delete("pod", "missing", "program");
  }

  @Test
  void pullSecretsAreUsed() throws Exception {
    String locked = cluster.registry().push("it/locked", Workloads.busyboxWith("l", "locked"));
    cluster.registry().requireBasic("/v2/it/locked/manifests/1");
    cluster.pod(
        "locked",
        "containers: [{name: c, image: \"%s\", command: [sleep, \"1000\"]}]".formatted(locked));
    cluster.awaitPod(
        "locked",
        "refused",
        pod ->
            Cluster.container(pod, "c").at("/state/waiting/message").asString("").contains("401"));
    cluster.delete("pod", "locked");
    cluster
        .kubectl(
            "create",
            "secret",
            "docker-registry",
            "account",
            "--docker-server=" + cluster.registry().address(),
            "--docker-username=ann",
            "--docker-password=pw")
        .ok();
    cluster.pod(
        "unlocked",
        "imagePullSecrets: [{name: account}]\n"
            + "containers: [{name: c, image: \"%s\", command: [sleep, \"1000\"]}]"
                .formatted(locked));
    JsonNode status = Cluster.container(cluster.awaitReady("unlocked"), "c");
    assertThat(status.path("image").asString("")).isEqualTo(locked);
    assertThat(status.path("imageID").asString(""))
        .startsWith(cluster.registry().address() + "/it/locked@sha256:");
    String account = Base64.getEncoder().encodeToString(TestImage.utf8("ann:pw"));
    assertThat(cluster.registry().seen())
        .contains("/v2/it/locked/manifests/1 auth=Basic " + account);
    cluster.delete("pod", "unlocked");
  }

  @Test
  void runtimeClassesAreKnownOrRefused() throws Exception {
    cluster.apply(
        """
        apiVersion: node.k8s.io/v1
        kind: RuntimeClass
        metadata: {name: other}
        handler: other
        """);
    cluster.pod(
        "classy", "runtimeClassName: other\ncontainers:\n" + cluster.container("c", "sleep 1"));
    cluster.await(
        "the refusal",
        "there",
        events -> events.toString().contains("other"),
        "events",
        "--field-selector=involvedObject.name=classy,reason=FailedCreatePodSandBox");
    cluster.delete("pod", "classy");
    cluster.delete("runtimeclass", "other");
  }

  @Test
  void aStatefulSetKeepsItsVolume() throws Exception {
    Path disk = Files.createDirectories(cluster.home().resolve("disk"));
    cluster.apply(
        """
        apiVersion: v1
        kind: PersistentVolume
        metadata: {name: disk}
        spec:
          capacity: {storage: 1Gi}
          accessModes: [ReadWriteOnce]
          storageClassName: local
          local: {path: %s}
          nodeAffinity:
            required:
              nodeSelectorTerms:
              - matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [node]}]
        ---
        apiVersion: apps/v1
        kind: StatefulSet
        metadata: {name: db}
        spec:
          serviceName: db
          selector: {matchLabels: {app: db}}
          template:
            metadata: {labels: {app: db}}
            spec:
              terminationGracePeriodSeconds: 1
              containers:
              - name: c
                image: "%s"
                command: [sh, -c, "echo $HOSTNAME >>/data/starts; sleep 1000"]
                volumeMounts: [{name: data, mountPath: /data}]
          volumeClaimTemplates:
          - metadata: {name: data}
            spec:
              storageClassName: local
              accessModes: [ReadWriteOnce]
              resources: {requests: {storage: 1Gi}}
        """
            .formatted(disk, cluster.image()));
    JsonNode first = cluster.awaitReady("db-0");
    cluster.kubectl("delete", "pod", "db-0").ok();
    cluster.awaitPod(
        "db-0",
        "another",
        pod -> Cluster.ready(pod) && !pod.at("/metadata/uid").equals(first.at("/metadata/uid")));
    assertThat(disk.resolve("starts")).hasContent("db-0\ndb-0\n");
    cluster.delete("statefulset", "db");
    cluster.delete("pod", "db-0");
    cluster.delete("pvc", "data-db-0");
    cluster.delete("pv", "disk");
  }

  @Test
  void servicesLeadToPods() throws Exception {
    if (!cluster.hasServices()) {
      return;
    }
    cluster.pod(
        "server",
        "containers:\n"
            + cluster.container(
                "c",
                "mkdir /h; echo served >/h/i; httpd -f -p 8080 -h /h",
                "ports: [{containerPort: 8080, hostPort: 8081}]",
                "readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}"));
    cluster.awaitReady("server");
    cluster.kubectl("expose", "pod", "server", "--port=80", "--target-port=8080").ok();
    String address = cluster.get("service", "server").at("/spec/clusterIP").asString("");
    cluster.pod("client", "containers:\n" + cluster.container("c", "sleep 1000"));
    cluster.awaitReady("client");
    for (String url :
        List.of("http://" + address + "/i", "http://" + Cluster.ADDRESS + ":8081/i")) {
      Daemon.Result got = fetch("client", url);
      for (int i = 0; i < 20 && got.code() != 0; i++) {
        Daemon.sleep(500); // kube-proxy follows by its own clock
        got = fetch("client", url);
      }
      assertThat(got.ok()).isEqualTo("served\n");
    }
    // The pod itself, through its own service: hairpin.
    assertThat(fetch("server", "http://" + address + "/i").ok()).isEqualTo("served\n");
    cluster.delete("service", "server");
    cluster.delete("pod", "server", "client");
  }

  private static Daemon.Result fetch(String pod, String url) throws Exception {
    return cluster.kubectl("exec", pod, "--", "timeout", "5", "wget", "-q", "-O", "-", url);
  }

  @Test
  void statisticsOfPodsAreThere() throws Exception {
    cluster.pod("busy", "containers:\n" + cluster.container("c", "while :; do sleep 0.01; done"));
    cluster.awaitReady("busy");
    cluster.await(
        "the summary",
        "complete",
        summary -> {
          for (JsonNode pod : summary.path("pods")) {
            if (pod.at("/podRef/name").asString("").equals("busy")) {
              return pod.at("/cpu/usageCoreNanoSeconds").asLong(0) > 0
                  && pod.at("/memory/workingSetBytes").asLong(0) > 0
                  && pod.at("/containers/0/memory/workingSetBytes").asLong(0) > 0
                  && pod.at("/containers/0/rootfs/usedBytes").asLong(0) > 0;
            }
          }
          return false;
        },
        "--raw",
        "/api/v1/nodes/node/proxy/stats/summary");
    // What metrics-server, and so kubectl top, asks for.
    assertThat(cluster.kubectl("get", "--raw", "/api/v1/nodes/node/proxy/metrics/resource").ok())
        .containsPattern(
            "container_cpu_usage_seconds_total\\{container=\"c\",namespace=\"default\",pod=\"busy\"")
        .containsPattern(
            "container_memory_working_set_bytes\\{container=\"c\",namespace=\"default\",pod=\"busy\"");
    cluster.delete("pod", "busy");
  }

  @Test
  void noContainerStartsAnewWhenTheDaemonIsKilled() throws Exception {
    cluster
        .kubectl(
            "create",
            "deployment",
            "calm",
            "--image=" + cluster.image(),
            "--replicas=3",
            "--",
            "sleep",
            "1000")
        .ok();
    cluster.kubectl("rollout", "status", "deployment", "calm", "--timeout=2m").ok();
    String before = containers("calm");
    cluster.node().kill();
    cluster.await("node", "not ready", node -> !Cluster.ready(node), "node", "node");
    cluster.node().restart();
    cluster.await("node", "ready", Cluster::ready, "node", "node");
    cluster.kubectl("scale", "deployment", "calm", "--replicas=4").ok();
    cluster.kubectl("rollout", "status", "deployment", "calm", "--timeout=2m").ok();
    assertThat(containers("calm")).contains(before.split("\n"));
    for (JsonNode pod : cluster.get("pods", "-l", "app=calm").path("items")) {
      assertThat(pod.at("/status/containerStatuses/0/restartCount").asInt(-1)).isZero();
      assertThat(cluster.exec(pod.at("/metadata/name").asString(""), "echo", "well"))
          .isEqualTo("well\n");
    }
    cluster.delete("deployment", "calm");
  }

  private static String containers(String app) throws IOException, InterruptedException {
    return cluster
        .kubectl(
            "get",
            "pods",
            "-l",
            "app=" + app,
            "-o",
            "jsonpath={range .items[*]}{.status.containerStatuses[0].containerID}{\"\\n\"}{end}")
        .ok();
  }
}
