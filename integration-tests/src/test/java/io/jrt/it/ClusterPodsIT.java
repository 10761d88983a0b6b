package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/**
 * Pods on a whole Kubernetes: what their specifications ask for is so in their containers. Skipped
 * unless {@code JRT_IT_CLUSTER} names a directory with Kubernetes' programs and etcd.
 */
class ClusterPodsIT {
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
  void initContainersGoFirstAndSidecarsStay() throws Exception {
    cluster.pod(
        "ordered",
        """
        restartPolicy: Never
        volumes: [{name: w, emptyDir: {}}]
        initContainers:
        """
            + cluster.container(
                "first", "echo 1 >>/w/order", "volumeMounts: [{name: w, mountPath: /w}]")
            + cluster.container(
                "side",
                "echo 2 >>/w/order; trap 'exit 0' TERM; while :; do sleep 1; done",
                "restartPolicy: Always",
                "startupProbe: {exec: {command: [test, -s, /w/order]}, periodSeconds: 1}",
                "volumeMounts: [{name: w, mountPath: /w}]")
            + "containers:\n"
            + cluster.container(
                "main",
                "echo 3 >>/w/order; cat /w/order; exit 5",
                "volumeMounts: [{name: w, mountPath: /w}]"));
    JsonNode pod = cluster.awaitPhase("ordered", "Failed");
    assertThat(cluster.kubectl("logs", "ordered", "-c", "main").ok()).isEqualTo("1\n2\n3\n");
    assertThat(Cluster.terminated(pod, "main", "exitCode")).isEqualTo("5");
    assertThat(Cluster.terminated(pod, "first", "reason")).isEqualTo("Completed");
    cluster.awaitPod(
        "ordered",
        "without sidecar",
        found -> !Cluster.terminated(found, "side", "reason").isEmpty());
    cluster.delete("pod", "ordered");
  }

  @Test
  void probesAndHooksAreAsked() throws Exception {
    Path told = Files.createDirectories(cluster.home().resolve("told"));
    cluster.pod(
        "probed",
        """
        terminationGracePeriodSeconds: 20
        volumes: [{name: t, hostPath: {path: %s}}]
        containers:
        """
                .formatted(told)
            + cluster.container(
                "c",
                "mkdir /h; echo hi >/h/i; trap 'echo term >>/t/order; exit 0' TERM;"
                    + " httpd -p 8080 -h /h; while :; do sleep 0.1; done",
                "volumeMounts: [{name: t, mountPath: /t}]",
                "startupProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}",
                "livenessProbe: {httpGet: {path: /i, port: 8080}, periodSeconds: 1}",
                "readinessProbe: {exec: {command: [test, -e, /t/posted]}, periodSeconds: 1}",
                "lifecycle: {postStart: {exec: {command: [touch, /t/posted]}},"
                    + " preStop: {exec: {command: [sh, -c, 'echo stop >>/t/order']}}}"));
    cluster.awaitReady("probed");
    Files.delete(told.resolve("posted"));
    cluster.awaitPod("probed", "not ready", pod -> !Cluster.ready(pod));
    cluster.exec("probed", "rm", "/h/i");
    cluster.awaitPod(
        "probed",
        "restarted",
        pod -> Cluster.container(pod, "c").path("restartCount").asInt(0) == 1);
    assertThat(cluster.kubectl("describe", "pod", "probed").ok())
        .contains("Liveness probe failed: HTTP probe failed with statuscode: 404");
    cluster.awaitReady("probed");
    Files.deleteIfExists(told.resolve("order"));
    cluster.kubectl("delete", "pod", "probed").ok();
    assertThat(told.resolve("order")).hasContent("stop\nterm\n");
  }

  @Test
  void whoDoesNotEndInTimeIsKilled() throws Exception {
    cluster.pod(
        "deaf",
        "terminationGracePeriodSeconds: 2\ncontainers:\n"
            + cluster.container("c", "trap '' TERM; while :; do sleep 1; done"));
    cluster.awaitReady("deaf");
    cluster.kubectl("delete", "pod", "deaf").ok();
    assertThat(cluster.kubectl("get", "pod", "deaf").err()).contains("NotFound");
  }

  @Test
  void volumesOfAllKindsAreThere() throws Exception {
    Path host = Files.createDirectories(cluster.home().resolve("host"));
    Files.writeString(host.resolve("file"), "of the host");
    TestImage data =
        TestImage.of(
            Map.of(),
            TestImage.Packing.GZIP,
            List.of(new LayerBuilder().directory("sub", 0755).file("sub/f", 0644, "image").tar()));
    String volume = cluster.registry().push("it/data", data);
    cluster.kubectl("create", "configmap", "settings", "--from-literal=a.conf=first").ok();
    cluster.kubectl("create", "secret", "generic", "hidden", "--from-literal=key=s3cret").ok();
    cluster.pod(
        "volumes",
        """
        securityContext: {fsGroup: 2000}
        volumes:
        - {name: cm, configMap: {name: settings}}
        - {name: se, secret: {secretName: hidden, defaultMode: 0400}}
        - name: pr
          projected:
            sources:
            - configMap: {name: settings}
            - serviceAccountToken: {path: token, expirationSeconds: 3600}
            - downwardAPI: {items: [{path: name, fieldRef: {fieldPath: metadata.name}}]}
        - {name: mem, emptyDir: {medium: Memory, sizeLimit: 4Mi}}
        - {name: dir, emptyDir: {}}
        - {name: host, hostPath: {path: %s, type: Directory}}
        - {name: im, image: {reference: "%s"}}
        containers:
        - name: c
          image: "%s"
          command: [sleep, "1000"]
          env:
          - {name: FROM_CM, valueFrom: {configMapKeyRef: {name: settings, key: a.conf}}}
          - {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
          volumeMounts:
          - {name: cm, mountPath: /cm}
          - {name: cm, mountPath: /etc/only, subPath: a.conf}
          - {name: se, mountPath: /se}
          - {name: pr, mountPath: /pr}
          - {name: mem, mountPath: /mem}
          - {name: dir, mountPath: /named, subPathExpr: x-$(POD_IP)}
          - {name: host, mountPath: /host, readOnly: true, recursiveReadOnly: Enabled}
          - {name: im, mountPath: /im}
          - {name: im, mountPath: /im-sub, subPath: sub}
        """
            .formatted(host, volume, cluster.image()));
    cluster.awaitReady("volumes");
    assertThat(cluster.exec("volumes", "cat", "/cm/a.conf", "/etc/only")).isEqualTo("firstfirst");
    assertThat(cluster.exec("volumes", "cat", "/se/key")).isEqualTo("s3cret");
    assertThat(cluster.exec("volumes", "stat", "-L", "-c", "%a %g", "/se/key"))
        .isEqualTo("440 2000\n");
    assertThat(cluster.exec("volumes", "cat", "/pr/name", "/pr/a.conf")).isEqualTo("volumesfirst");
    assertThat(cluster.exec("volumes", "cat", "/pr/token")).contains(".");
    assertThat(cluster.exec("volumes", "sh", "-c", "df -k /mem | tail -1")).contains("4096");
    assertThat(cluster.exec("volumes", "cat", "/host/file")).isEqualTo("of the host");
    assertThat(cluster.kubectl("exec", "volumes", "--", "touch", "/host/new").err())
        .contains("Read-only file system");
    assertThat(cluster.exec("volumes", "cat", "/im/sub/f", "/im-sub/f")).isEqualTo("imageimage");
    assertThat(cluster.exec("volumes", "sh", "-c", "echo $FROM_CM")).isEqualTo("first\n");
    cluster
        .kubectl("patch", "configmap", "settings", "-p", "{\"data\":{\"a.conf\":\"second\"}}")
        .ok();
    // The kubelet brings it at the next sync of the pod, which a change of the pod makes come soon.
    cluster.kubectl("annotate", "pod", "volumes", "look=again").ok();
    while (!cluster.exec("volumes", "cat", "/cm/a.conf").equals("second")) {
      Daemon.sleep(500);
    }
    cluster.delete("pod", "volumes");
  }

  @Test
  void namespacesAreAsAsked() throws Exception {
    cluster.pod(
        "of-node",
        "hostNetwork: true\nhostPID: true\ncontainers:\n" + cluster.container("c", "sleep 1000"));
    cluster.pod(
        "own-users",
        "hostUsers: false\nvolumes: [{name: d, emptyDir: {}}]\ncontainers:\n"
            + cluster.container("c", "sleep 1000", "volumeMounts: [{name: d, mountPath: /d}]"));
    cluster.pod(
        "shared",
        "shareProcessNamespace: true\nhostname: h\nsubdomain: s\nhostAliases: [{ip: 192.0.2.9,"
            + " hostnames: [far]}]\ncontainers:\n"
            + cluster.container("a", "exec sleep 1234")
            + cluster.container("b", "sleep 1000"));
    JsonNode ofNode = cluster.awaitReady("of-node");
    assertThat(ofNode.at("/status/podIP").asString("")).isEqualTo(Cluster.ADDRESS);
    assertThat(cluster.exec("of-node", "ps")).contains("kubelet");
    cluster.awaitReady("own-users");
    assertThat(cluster.exec("own-users", "cat", "/proc/self/uid_map").strip())
        .doesNotStartWith("0 0 ")
        .doesNotContain("4294967295");
    assertThat(cluster.exec("own-users", "sh", "-c", "touch /d/x; stat -c %u /d/x"))
        .isEqualTo("0\n");
    cluster.awaitReady("shared");
    assertThat(cluster.kubectl("exec", "shared", "-c", "b", "--", "ps").ok())
        .contains("sleep 1234");
    assertThat(cluster.kubectl("exec", "shared", "-c", "b", "--", "hostname").ok())
        .isEqualTo("h\n");
    assertThat(cluster.kubectl("exec", "shared", "-c", "a", "--", "cat", "/etc/hosts").ok())
        .contains("192.0.2.9\tfar");
    cluster.delete("pod", "of-node", "own-users", "shared");
  }

  @Test
  void securityContextsAreKept() throws Exception {
    cluster.pod(
        "secure",
        """
        securityContext: {runAsUser: 1000, runAsGroup: 1001, supplementalGroups: [1002],
          supplementalGroupsPolicy: Strict, seccompProfile: {type: RuntimeDefault},
          sysctls: [{name: net.ipv4.ip_unprivileged_port_start, value: "80"}]}
        containers:
        """
            + cluster.container(
                "c",
                "sleep 1000",
                "securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false,"
                    + " capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}}")
            + cluster.container(
                "p", "sleep 1000", "securityContext: {privileged: true, runAsUser: 0}"));
    JsonNode pod = cluster.awaitReady("secure");
    assertThat(cluster.exec("secure", "id")).isEqualTo("uid=1000 gid=1001 groups=1001,1002\n");
    assertThat(Cluster.container(pod, "c").at("/user/linux/supplementalGroups").toString())
        .isEqualTo("[1001,1002]");
    String status = cluster.exec("secure", "cat", "/proc/self/status");
    assertThat(status).contains("NoNewPrivs:\t1", "Seccomp:\t2", "CapBnd:\t0000000000000400");
    assertThat(cluster.kubectl("exec", "secure", "--", "touch", "/x").err())
        .contains("Read-only file system");
    assertThat(cluster.exec("secure", "cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start"))
        .isEqualTo("80\n");
    assertThat(cluster.kubectl("exec", "secure", "-c", "p", "--", "cat", "/proc/self/status").ok())
        .contains("Seccomp:\t0");
    cluster.delete("pod", "secure");
    cluster.pod(
        "root",
        "restartPolicy: Never\ncontainers:\n"
            + cluster.container("c", "id", "securityContext: {runAsNonRoot: true}"));
    cluster.awaitPod(
        "root",
        "refused",
        found ->
            Cluster.container(found, "c")
                .at("/state/waiting/message")
                .asString("")
                .contains("image will run as root"));
    cluster.delete("pod", "root");
  }

  @Test
  void resourcesAreLimitedAndResizedInPlace() throws Exception {
    cluster.pod(
        "sized",
        "containers:\n"
            + cluster.container(
                "c",
                "sleep 1000",
                "resources: {requests: {cpu: 100m, memory: 32Mi},"
                    + " limits: {cpu: 200m, memory: 64Mi}}"));
    JsonNode before = cluster.awaitReady("sized");
    assertThat(limits("sized")).isEqualTo("20000 67108864\n");
    cluster
        .kubectl(
            "patch",
            "pod",
            "sized",
            "--subresource=resize",
            "-p",
            """
            {"spec": {"containers": [{"name": "c", "resources": {
              "requests": {"cpu": "150m", "memory": "48Mi"},
              "limits": {"cpu": "300m", "memory": "96Mi"}}}]}}
            """)
        .ok();
    JsonNode after =
        cluster.awaitPod(
            "sized",
            "resized",
            pod ->
                Cluster.container(pod, "c")
                    .at("/resources/limits/memory")
                    .asString("")
                    .equals("96Mi"));
    assertThat(limits("sized")).isEqualTo("30000 100663296\n");
    assertThat(Cluster.container(after, "c").at("/resources/limits/cpu").asString(""))
        .isEqualTo("300m");
    assertThat(Cluster.container(after, "c").path("containerID"))
        .isEqualTo(Cluster.container(before, "c").path("containerID"));
    cluster.delete("pod", "sized");
  }

  /** What the container's own cgroup says: the quota of 100 ms, and bytes. */
  private static String limits(String pod) throws Exception {
    return cluster.exec(
        pod,
        "sh",
        "-c",
        "cd /sys/fs/cgroup; if [ -e memory.max ]; then echo $(cut -d' ' -f1 cpu.max) $(cat"
            + " memory.max); else echo $(cat cpu/cpu.cfs_quota_us)"
            + " $(cat memory/memory.limit_in_bytes); fi");
  }

  @Test
  void whoTakesTooMuchMemoryIsToldSo() throws Exception {
    cluster.pod(
        "greedy",
        "restartPolicy: Never\ncontainers:\n"
            + cluster.container("c", "tail /dev/zero", "resources: {limits: {memory: 32Mi}}"));
    JsonNode pod = cluster.awaitPhase("greedy", "Failed");
    assertThat(Cluster.terminated(pod, "c", "exitCode")).isEqualTo("137");
    assertThat(cluster.kubectl("describe", "pod", "greedy").ok())
        .containsPattern("Reason: +OOMKilled");
    cluster.delete("pod", "greedy");
  }

  @Test
  void whatCrashesBacksOff() throws Exception {
    cluster.pod("crash", "containers:\n" + cluster.container("c", "echo said; exit 3"));
    JsonNode pod =
        cluster.awaitPod(
            "crash",
            "backing off",
            found ->
                Cluster.container(found, "c")
                    .at("/state/waiting/reason")
                    .asString("")
                    .equals("CrashLoopBackOff"));
    assertThat(Cluster.container(pod, "c").at("/lastState/terminated/exitCode").asInt(0))
        .isEqualTo(3);
    assertThat(cluster.kubectl("logs", "--previous", "crash").ok()).isEqualTo("said\n");
    cluster.delete("pod", "crash");
  }
}
