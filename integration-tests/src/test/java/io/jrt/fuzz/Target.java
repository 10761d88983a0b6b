package io.jrt.fuzz;

import io.jrt.core.device.CdiSpecReader;
import io.jrt.core.device.DeviceDoor;
import io.jrt.core.io.LogDoor;
import io.jrt.core.spec.AccountFiles;
import io.jrt.core.store.ContainerRecord;
import io.jrt.core.store.RecordStore;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Reference;
import io.jrt.image.content.ConfigDocument;
import io.jrt.image.content.Document;
import io.jrt.image.layer.LayerDoor;
import io.jrt.image.registry.RegistryDoor;
import io.jrt.linux.FailPoints;
import io.jrt.network.cni.CniDoor;
import io.jrt.security.SeccompDoor;
import io.jrt.server.streaming.StreamDoor;
import io.jrt.volumes.TarDoor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * The parsers that meet bytes of others. What they may answer to any bytes is a value, an {@link
 * IOException}, or a {@link JrtException} that is no fault of ours; anything else is a finding.
 */
@SuppressWarnings("ImmutableEnumChecker") // nobody changes a seed, and parsers hold nothing
enum Target {
  REFERENCE(
      (_, bytes) -> {
        Reference parsed = Reference.parse(text(bytes));
        Reference again = Reference.parse(parsed.toString());
        if (!again.equals(parsed)) {
          throw new AssertionError(parsed + " is read as " + again);
        }
      },
      "docker.io/library/busybox:1.36",
      "r.example:5000/a/b@sha256:" + "a".repeat(64),
      "localhost/x"),
  MANIFEST(
      (_, bytes) -> Document.parse("fuzz", "", bytes),
      """
      {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":\
      {"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":7},\
      "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:%s",\
      "size":9,"urls":["https://x/"]}],"annotations":{"a":"b"}}\
      """
          .formatted("a".repeat(64), "b".repeat(64)),
      """
      {"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[\
      {"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":1,\
      "platform":{"architecture":"arm","os":"linux","variant":"v7","os.features":["x"]}}]}\
      """
          .formatted("c".repeat(64))),
  CONFIG(
      (_, bytes) -> ConfigDocument.parse("fuzz", bytes),
      """
      {"created":"2026-01-01T00:00:00Z","architecture":"amd64","os":"linux","config":{"User":"1:2",\
      "Env":["A=b"],"Entrypoint":["/x"],"Cmd":["y"],"WorkingDir":"/w","Labels":{"a":"b"},\
      "Volumes":{"/v":{}},"ExposedPorts":{"80/tcp":{}},"StopSignal":"SIGTERM"},\
      "rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"history":[{"empty_layer":true}]}\
      """
          .formatted("a".repeat(64))),
  LAYER_TAR((_, bytes) -> LayerDoor.tar(bytes), Seeds.tar()),
  LAYER((directory, bytes) -> unpackInside(directory, bytes, LayerDoor::unpack), Seeds.tar()),
  GZIP((_, bytes) -> LayerDoor.gzip(bytes), Seeds.gzip()),
  VOLUME_TAR((directory, bytes) -> unpackInside(directory, bytes, TarDoor::unpack), Seeds.tar()),
  REGISTRIES_YAML(
      RegistryDoor::registriesYaml,
      """
      mirrors:
        docker.io:
          endpoint: ["https://m.example:5000/v2"]
          rewrite: {"^library/(.*)": "proxy/$1"}
        "*": {endpoint: [http://a]}
      configs:
        "m.example:5000":
          auth: {username: u, password: p, token: t}
          tls: {ca_file: /ca, insecure_skip_verify: true}
      """),
  HOSTS_TOML(
      RegistryDoor::hostsToml,
      """
      server = "https://registry-1.docker.io"
      [host."https://m.example:5000"]
        capabilities = ["pull", "resolve"]
        ca = "/ca.pem"
        client = [["/c", "/k"]]
        skip_verify = true
        override_path = true
        [host."https://m.example:5000".header]
          x-a = ["b"]
      """),
  DOCKER_CONFIG(
      RegistryDoor::dockerConfig,
      """
      {"auths":{"https://index.docker.io/v1/":{"auth":"dTpw"},"r.example:5000":\
      {"username":"u","password":"p","identitytoken":"t","registrytoken":"r"}}}\
      """),
  CHALLENGE(
      (_, bytes) -> RegistryDoor.challenge(bytes),
      "Bearer realm=\"https://a/token\",service=\"s\",scope=\"repository:x:pull\", Basic realm=x"),
  LOG_LINE((_, bytes) -> LogDoor.line(bytes), "2026-01-02T03:04:05.000000006Z stdout F hello\n"),
  SPDY((_, bytes) -> StreamDoor.spdy(bytes), Seeds.spdy()),
  WEB_SOCKET((_, bytes) -> StreamDoor.webSocket(bytes), Seeds.webSocket()),
  RESIZE((_, bytes) -> StreamDoor.resize(bytes), "{\"Width\":80,\"Height\":24}{\"width\":1}"),
  CNI_RESULT(
      (_, bytes) -> CniDoor.result(bytes),
      """
      {"cniVersion":"1.0.0","interfaces":[{"name":"eth0","mac":"aa:bb:cc:dd:ee:ff","mtu":1500,\
      "sandbox":"/x"}],"ips":[{"address":"10.0.0.2/24","gateway":"10.0.0.1","interface":0},\
      {"address":"fd00::2/64"}],"routes":[{"dst":"0.0.0.0/0"}],"dns":{"nameservers":["1.1.1.1"]}}\
      """),
  CDI_SPEC(
      (_, bytes) -> CdiSpecReader.parse("fuzz.yaml", text(bytes)),
      """
      cdiVersion: "0.6.0"
      kind: vendor.com/gpu
      annotations: {a: b}
      devices:
      - name: "0"
        containerEdits:
          env: [A=b]
          deviceNodes: [{path: /dev/x, hostPath: /dev/y, type: c, major: 1, minor: 3, fileMode: 438}]
          mounts: [{hostPath: /a, containerPath: /b, options: [ro, bind]}]
          hooks: [{hookName: createContainer, path: /h, args: [h], timeout: 5}]
      containerEdits: {additionalGids: [1]}
      """),
  SECCOMP_PROFILE(
      (_, bytes) -> SeccompDoor.profile(bytes),
      """
      {"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":1,"architectures":["SCMP_ARCH_X86_64"],
       "flags":["SECCOMP_FILTER_FLAG_LOG"],
       "syscalls":[{"names":["read","clone"],"action":"SCMP_ACT_ALLOW","errnoRet":2,
         "args":[{"index":0,"value":2114060288,"valueTwo":0,"op":"SCMP_CMP_MASKED_EQ"}],
         "includes":{"caps":["CAP_SYS_ADMIN"],"minKernel":"4.8","arches":["amd64"]}}]}
      """),
  KERNEL_LOG(
      (_, bytes) -> SeccompDoor.kernelLog(text(bytes)),
      "5,8,3,-;audit: type=1326 audit(1.2:42): auid=0 uid=0 gid=0 ses=0 subj=x pid=12 comm=\"sh\""
          + " exe=\"/bin/sh\" sig=0 arch=c000003e syscall=272 compat=0 ip=0x7f code=0x50000"),
  RECORD(
      (directory, bytes) -> {
        Path records = Files.createDirectories(directory.resolve("records"));
        Files.write(records.resolve("a.json"), bytes);
        new RecordStore<>(records, "container", 1, ContainerRecord.class, e -> e, FailPoints.none())
            .load();
        remove(records);
      },
      Seeds.record()),
  ACCOUNTS(
      (_, bytes) -> {
        AccountFiles files = AccountFiles.of(bytes, bytes);
        files.user("root");
        files.user(0).ifPresent(user -> files.groupsOf(user.name(), 100));
        files.group("root");
      },
      "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/:\nstaff:x:50:app,root\n"),
  LOADER_CACHE((_, bytes) -> DeviceDoor.loaderCache(bytes), Seeds.loaderCache()),
  LIBRARY(DeviceDoor::library, Seeds.library());

  /** What one of them does with some bytes. */
  interface Parser {
    void parse(Path directory, byte[] bytes) throws Exception;
  }

  private final Parser parser;
  private final List<byte[]> seeds;

  Target(Parser parser, String... seeds) {
    this.parser = parser;
    this.seeds = Stream.of(seeds).map(seed -> seed.getBytes(StandardCharsets.UTF_8)).toList();
  }

  Target(Parser parser, byte[] seed) {
    this.parser = parser;
    this.seeds = List.of(seed);
  }

  /** Well-formed input to begin with. */
  List<byte[]> seeds() {
    return seeds;
  }

  /** Feeds the bytes; an exception that comes out of it is a finding. */
  void feed(Path directory, byte[] bytes) {
    try {
      parser.parse(directory, bytes);
    } catch (JrtException refused) {
      if (refused.kind() == ErrorKind.INTERNAL) {
        throw refused;
      }
    } catch (IOException | UncheckedIOException refused) {
      // As a stream that ends too early is refused.
      return;
    } catch (RuntimeException finding) {
      throw finding;
    } catch (Exception finding) {
      throw new AssertionError(this + " threw", finding);
    }
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** Unpacks as root, beside a file that must stay as it is. */
  private static void unpackInside(Path directory, byte[] bytes, Parser unpacking)
      throws Exception {
    Path inside = Files.createDirectories(directory.resolve("inside"));
    Path outside = directory.resolve("outside");
    Files.writeString(outside, "untouched");
    try {
      unpacking.parse(inside, bytes);
    } finally {
      requireUntouched(outside);
      remove(inside);
    }
  }

  private static void requireUntouched(Path outside) throws IOException {
    if (!Files.readString(outside).equals("untouched")) {
      throw new AssertionError("a file outside was written");
    }
  }

  static void remove(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
