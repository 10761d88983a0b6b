package io.jrt.network.cni;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jrt.linux.WholeFile;
import io.jrt.linux.WholeFile.Durability;
import io.jrt.network.SandboxRecords;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
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
  private static final SandboxRecords.Kind<CniAttachment> KIND =
      new SandboxRecords.Kind<>(
          CniAttachment.class,
          CniAttachment::sandboxId,
          "network attachment",
          Durability.POWER_CUT);

  private final Path cache;
  private final JsonMapper json = JsonMapper.builder().build();
  private final SandboxRecords<CniAttachment> records;

  private AttachmentStore(Path directory, Path cache) {
    this.cache = cache;
    this.records = SandboxRecords.open(directory, KIND);
  }

  /** A sandbox and its interface, as plugins name attachments. */
  record Name(String containerId, String interfaceName) {}

  static AttachmentStore open(Path directory, Path cacheDir) {
    Path cache = cacheDir.resolve("results");
    try {
      if (Files.isDirectory(cache)) {
        WholeFile.list(cache); // what a crash left half-written would stay for ever
      }
    } catch (IOException e) {
      LOG.warn("{} cannot be tidied up: {}", cache, e.toString());
    }
    return new AttachmentStore(directory, cache);
  }

  Optional<CniAttachment> find(String sandboxId) {
    return records.find(sandboxId);
  }

  Collection<CniAttachment> all() {
    return records.all();
  }

  void put(CniAttachment attachment) {
    records.put(attachment);
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
      throw records.failure("cannot make " + cache, e);
    }
    records.write(cacheFile(attachment, network), json.writeValueAsBytes(entry), Durability.INTACT);
  }

  void remove(CniAttachment attachment, NetworkList network) {
    try {
      Files.deleteIfExists(cacheFile(attachment, network));
    } catch (IOException e) {
      throw records.failure("cannot delete " + cacheFile(attachment, network), e);
    }
    records.remove(attachment.sandboxId());
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

  private Path cacheFile(CniAttachment attachment, NetworkList network) {
    return cache.resolve(
        network.name() + "-" + attachment.sandboxId() + "-" + attachment.interfaceName());
  }
}
