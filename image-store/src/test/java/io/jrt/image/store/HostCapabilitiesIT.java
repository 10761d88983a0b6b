package io.jrt.image.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Digest;
import io.jrt.image.ImageStore;
import io.jrt.image.ImageStoreConfig;
import io.jrt.image.PullListener;
import io.jrt.image.PullRequest;
import io.jrt.image.layer.Tars;
import io.jrt.linux.Kernel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which host of a hosts.toml is asked for what, and in which order. */
final class HostCapabilitiesIT {
  private static final Kernel KERNEL = Kernel.open();
  private static final String API = "/cache/of/upstream";

  @TempDir Path temp;
  private TestRegistry registry;
  private FaultProxy pushes;
  private FaultProxy names;
  private FaultProxy cache;
  private FaultProxy both;
  private FaultProxy origin;
  private TestImage image;

  /** Who was asked for what, in order: {@code names tag}, {@code cache layer}. */
  private final List<String> asked = new CopyOnWriteArrayList<>();

  @BeforeEach
  void open() throws Exception {
    registry = TestRegistry.open(temp.resolve("registry"));
    image = TestImage.of(new Tars().file("a", "a").bytes());
    registry.push("a/b", "1", image);
    pushes = new FaultProxy(registry.host());
    names = new FaultProxy(registry.host());
    cache = FaultProxy.at(registry.host(), API);
    both = new FaultProxy(registry.host());
    origin = new FaultProxy(registry.host());
    serve(pushes, "pushes");
    serve(names, "names");
    serve(cache, "cache");
    serve(both, "both");
    serve(origin, "origin");
    hosts("");
  }

  @AfterEach
  void close() {
    pushes.close();
    names.close();
    cache.close();
    both.close();
    origin.close();
    registry.close();
  }

  /**
   * @param server settings of the registry itself
   */
  private void hosts(String server) throws Exception {
    Path directory = Files.createDirectories(temp.resolve("certs.d/example.test"));
    Files.writeString(
        directory.resolve("hosts.toml"),
        """
        server = "http://%s"
        %s
        [host."http://%s"]
        capabilities = ["push"]
        [host."http://%s"]
        capabilities = ["resolve"]
        [host."http://%s%s"]
        capabilities = ["pull"]
        override_path = true
        [host."http://%s"]
        capabilities = ["pull", "resolve"]
        """
            .formatted(
                origin.host(),
                server,
                pushes.host(),
                names.host(),
                cache.host(),
                API,
                both.host()));
  }

  private void serve(FaultProxy host, String name) {
    host.fault(
        (exchange, answer) -> {
          asked.add(name + " " + what(exchange.getRequestURI().getPath()));
          return false;
        });
  }

  /** Has nothing, but hears what it is asked for. */
  private void empty(FaultProxy host, String name) {
    host.fault(
        (exchange, answer) -> {
          asked.add(name + " " + what(exchange.getRequestURI().getPath()));
          FaultProxy.status(exchange, 404);
          return true;
        });
  }

  private String what(String path) {
    String last = path.substring(path.lastIndexOf('/') + 1);
    if (last.equals("1")) {
      return "tag";
    }
    if (last.equals(Digest.sha256(image.manifest()).toString())) {
      return "manifest";
    }
    return last.equals(image.id()) ? "configuration" : "layer";
  }

  private ImageStore store() {
    var registries =
        new ImageStoreConfig.Registries(
            Optional.empty(), List.of(temp.resolve("certs.d")), Optional.empty(), List.of());
    return LocalImageStore.open(
        new ImageStoreConfig(
            temp.resolve("store"), registries, ImageStoreConfig.Limits.DEFAULT, List.of()),
        KERNEL);
  }

  private void pull(ImageStore store, String name) {
    asked.clear();
    assertThat(store.pull(PullRequest.of(name), PullListener.NONE).id()).isEqualTo(image.id());
    store.remove(image.id());
  }

  @Test
  void eachHostIsAskedForWhatItCanAndTheFirstThatCanIsAskedFirst() {
    try (ImageStore store = store()) {
      pull(store, "example.test/a/b:1");
      assertThat(asked)
          .containsExactly("names tag", "names tag", "cache configuration", "cache layer");
      assertThat(cache.seen()).allMatch(line -> line.contains(" " + API + "/a/b/"));

      empty(cache, "cache");
      pull(store, "example.test/a/b:1");
      assertThat(asked)
          .containsExactly(
              "names tag",
              "names tag",
              "cache configuration",
              "both configuration",
              "cache layer",
              "both layer");

      empty(names, "names");
      empty(both, "both");
      pull(store, "example.test/a/b:1");
      assertThat(asked)
          .containsExactly(
              "names tag",
              "both tag",
              "origin tag",
              "names tag",
              "both tag",
              "origin tag",
              "cache configuration",
              "both configuration",
              "origin configuration",
              "cache layer",
              "both layer",
              "origin layer");
    }
  }

  @Test
  void aDigestIsAskedForWhereContentIs() {
    try (ImageStore store = store()) {
      pull(store, "example.test/a/b@" + Digest.sha256(image.manifest()));
      assertThat(asked).containsExactly("cache manifest", "cache configuration", "cache layer");
    }
  }

  @Test
  void aRegistryWithoutAHostThatResolvesCannotBeAskedForATag() throws Exception {
    hosts("capabilities = [\"pull\"]");
    Path toml = temp.resolve("certs.d/example.test/hosts.toml");
    Files.writeString(toml, Files.readString(toml).replace("\"resolve\"", "\"push\""));
    try (ImageStore store = store()) {
      asked.clear();
      assertThatThrownBy(() -> store.pull(PullRequest.of("example.test/a/b:1"), PullListener.NONE))
          .isInstanceOfSatisfying(
              JrtException.class,
              e -> assertThat(e.kind()).isEqualTo(ErrorKind.FAILED_PRECONDITION))
          .hasMessageContaining("example.test")
          .hasMessageContaining("'resolve'");
      assertThat(asked).isEmpty();
    }
  }

  @Test
  void aCapabilityThatDoesNotExistIsAnErrorThatNamesTheFile() throws Exception {
    hosts("capabilities = [\"pul\"]");
    try (ImageStore store = store()) {
      assertThatThrownBy(() -> store.pull(PullRequest.of("example.test/a/b:1"), PullListener.NONE))
          .hasMessageContaining("example.test/hosts.toml")
          .hasMessageContaining("'pul'");
      assertThat(asked).isEmpty();
    }
  }

  @Test
  void aSwitchThatIsNeitherTrueNorFalseIsAnErrorThatNamesTheFile() throws Exception {
    for (String name : List.of("skip_verify", "override_path")) {
      hosts(name + " = \"no\"");
      try (ImageStore store = store()) {
        assertThatThrownBy(
                () -> store.pull(PullRequest.of("example.test/a/b:1"), PullListener.NONE))
            .hasMessageContaining("example.test/hosts.toml has a '" + name + "' that is neither");
        assertThat(asked).isEmpty();
      }
    }
  }
}
