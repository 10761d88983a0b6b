package io.jrt.network.cni;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Damaged;
import io.jrt.linux.WholeFile;
import io.jrt.linux.WholeFile.Durability;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The attachments of this daemon, one file each, and beside them the results in libcni's cache,
 * where other tools look for them.
 *
 * <p>Addresses that plugins give out outlive a reboot, so these files do too; they are written to
 * disk before a plugin runs.
 */
final class AttachmentStore {
  private static final Logger LOG = LoggerFactory.getLogger(AttachmentStore.class);
  private static final String SUFFIX = ".json";
  private static final String VERSION_FIELD = "version";
  private static final int VERSION = 1;

  private final Path directory;
  private final Path cache;
  private final JsonMapper json = JsonMapper.builder().build();
  private final Map<String, CniAttachment> attachments = new ConcurrentHashMap<>();

  private AttachmentStore(Path directory, Path cache) {
    this.directory = directory;
    this.cache = cache;
  }

  /** A sandbox and its interface, as plugins name attachments. */
  record Name(String containerId, String interfaceName) {}

  static AttachmentStore open(Path directory, Path cacheDir) {
    AttachmentStore store = new AttachmentStore(directory, cacheDir.resolve("results"));
    try {
      Files.createDirectories(directory);
      for (Path file : WholeFile.list(directory)) {
        if (file.toString().endsWith(SUFFIX)) {
          store.read(file);
        }
      }
    } catch (IOException e) {
      throw failure("cannot read " + directory, e);
    }
    return store;
  }

  private void read(Path file) {
    try {
      CniAttachment attachment = decode(Files.readAllBytes(file));
      if (!file.equals(file(attachment.sandboxId()))) {
        throw new IOException("it is the record of sandbox " + attachment.sandboxId());
      }
      attachments.put(attachment.sandboxId(), attachment);
    } catch (IOException | RuntimeException e) {
      Damaged.setAside(
          file, directory.resolve("damaged"), "network attachment", String.valueOf(e.getMessage()));
    }
  }

  private CniAttachment decode(byte[] bytes) throws IOException {
    if (!(json.readTree(bytes) instanceof ObjectNode tree)) {
      throw new IOException("it is no JSON object");
    }
    // The first daemons wrote none.
    int version = tree.path(VERSION_FIELD).asInt(1);
    if (version > VERSION) {
      throw new IOException("it has version " + version + " and this daemon knows " + VERSION);
    }
    tree.remove(VERSION_FIELD);
    return json.treeToValue(tree, CniAttachment.class);
  }

  private byte[] encode(CniAttachment attachment) {
    ObjectNode tree = json.valueToTree(attachment);
    tree.put(VERSION_FIELD, VERSION);
    return json.writeValueAsBytes(tree);
  }

  Optional<CniAttachment> find(String sandboxId) {
    return Optional.ofNullable(attachments.get(sandboxId));
  }

  Collection<CniAttachment> all() {
    return List.copyOf(attachments.values());
  }

  void put(CniAttachment attachment) {
    write(file(attachment.sandboxId()), encode(attachment), Durability.POWER_CUT);
    attachments.put(attachment.sandboxId(), attachment);
  }

  /** Puts the result of an attachment into libcni's cache. */
  void cache(CniAttachment attachment, NetworkList network) {
    ObjectNode entry = json.createObjectNode();
    entry.put("kind", "cniCacheV1");
    entry.put("containerId", attachment.sandboxId());
    entry.put("config", Base64.getEncoder().encodeToString(attachment.network().getBytes(UTF_8)));
    entry.put("ifName", attachment.interfaceName());
    entry.put("networkName", network.name());
    entry.put("netns", attachment.netns());
    ArrayNode arguments = entry.putArray("cniArgs");
    for (String pair : attachment.arguments().split(";")) {
      String[] parts = pair.split("=", 2);
      arguments.addArray().add(parts[0]).add(parts.length > 1 ? parts[1] : "");
    }
    entry.set("capabilityArgs", attachment.capabilities());
    entry.set("result", attachment.result());
    try {
      Files.createDirectories(cache);
    } catch (IOException e) {
      throw failure("cannot make " + cache, e);
    }
    write(cacheFile(attachment, network), json.writeValueAsBytes(entry), Durability.INTACT);
  }

  void remove(CniAttachment attachment, NetworkList network) {
    try {
      Files.deleteIfExists(cacheFile(attachment, network));
      Files.deleteIfExists(file(attachment.sandboxId()));
    } catch (IOException e) {
      throw failure("cannot delete " + file(attachment.sandboxId()), e);
    }
    attachments.remove(attachment.sandboxId());
  }

  /** All attachments of a network in libcni's cache, also those of other runtimes on the host. */
  List<Name> cached(String networkName) {
    List<Name> names = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(cache, networkName + "-*")) {
      for (Path file : files) {
        PluginRunner.object(Files.readString(file))
            .filter(entry -> entry.path("networkName").asString("").equals(networkName))
            .ifPresent(
                entry ->
                    names.add(
                        new Name(
                            entry.path("containerId").asString(""),
                            entry.path("ifName").asString(""))));
      }
    } catch (IOException e) {
      LOG.debug("no cache of CNI results: {}", e.getMessage());
    }
    return names;
  }

  private Path file(String sandboxId) {
    return directory.resolve(sandboxId + SUFFIX);
  }

  private Path cacheFile(CniAttachment attachment, NetworkList network) {
    return cache.resolve(
        network.name() + "-" + attachment.sandboxId() + "-" + attachment.interfaceName());
  }

  private static void write(Path file, byte[] content, Durability durability) {
    try {
      WholeFile.write(file, content, durability);
    } catch (IOException e) {
      throw failure("cannot write " + file, e);
    }
  }

  private static JrtException failure(String message, IOException cause) {
    return new JrtException(ErrorKind.INTERNAL, "store network attachment", message, cause);
  }
}
