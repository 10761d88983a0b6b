package io.jrt.server.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.JrtException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ConfigurationTest {
  @TempDir private Path directory;

  private Path write(String name, String text) throws IOException {
    Path file = directory.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, text);
  }

  private static Configuration read(Path file) {
    return Configuration.read(file, true, UnaryOperator.identity());
  }

  @Test
  void aMissingUsualFileMeansTheDefaults() {
    assertThat(
            Configuration.read(directory.resolve("none"), false, UnaryOperator.identity())
                .current())
        .isEqualTo(Config.DEFAULT);
  }

  @Test
  void aMissingFileThatWasAskedForIsAnError() {
    assertThatThrownBy(() -> read(directory.resolve("none")))
        .isInstanceOf(JrtException.class)
        .hasMessageContaining("none");
  }

  @Test
  void theDefaultFileReadsBackAsTheDefaults() throws IOException {
    assertThat(read(write("config.toml", ConfigText.ofDefaults())).current())
        .isEqualTo(Config.DEFAULT);
  }

  @Test
  void everyKeyOfTheDefaultFileHasAComment() {
    List<String> lines = ConfigText.ofDefaults().lines().toList();
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).contains(" = ") && !lines.get(i).startsWith("#")) {
        assertThat(lines.get(i - 1)).as(lines.get(i)).startsWith("# ");
      }
      assertThat(lines.get(i)).hasSizeLessThan(400);
    }
  }

  @Test
  void valuesReplaceDefaultsKeyByKey() throws IOException {
    Config config =
        read(write(
                "config.toml",
                """
                [daemon]
                root = "/data/jrt"
                [log]
                level = "debug"
                [images]
                keep-free = "2GiB"
                no-progress = "90s"
                [network]
                provider = "cni"
                options = { a = "1", b = "2" }
                [network.cni]
                bin-dirs = ["/opt/bin"]
                """))
            .current();
    assertThat(config.daemon().root()).isEqualTo(Path.of("/data/jrt"));
    assertThat(config.daemon().state()).isEqualTo(DaemonConfig.DEFAULT.state());
    assertThat(config.log().level()).isEqualTo(LogConfig.Level.DEBUG);
    assertThat(config.images().keepFree().bytes()).isEqualTo(2L << 30);
    assertThat(config.images().noProgress()).isEqualTo(Duration.ofSeconds(90));
    assertThat(config.network().toNetwork().cni().binDirs()).containsExactly(Path.of("/opt/bin"));
    assertThat(config.network().toNetwork().options()).containsEntry("b", "2");
  }

  @Test
  void anUnknownKeyIsAnErrorWithLineAndNearestKey() throws IOException {
    Path file = write("config.toml", "[log]\nlevel = \"info\"\n\n[images]\nparalel-pulls = 3\n");
    assertThatThrownBy(() -> read(file))
        .isInstanceOfSatisfying(
            JrtException.class,
            e -> {
              assertThat(e).hasMessage(file + " line 5: there is no key images.paralel-pulls");
              assertThat(e.hint()).contains("did you mean images.parallel-pulls?");
            });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[log]\nlevel = \"loud\"|line 2: log.level: 'loud' is not one of error, warn, info",
        "[images]\n\nparallel-pulls = \"many\"|line 3: images.parallel-pulls",
        "[images]\nno-progress = \"soon\"|line 2: images.no-progress: 'soon' is no time",
        "[images]\nkeep-free = \"much\"|line 2: images.keep-free: 'much' is no number of bytes",
        "[traces]\n"
            + "endpoint = \"collector:4318\"|line 1: traces: endpoint 'collector:4318' is no URL",
        "[traces]\nsample-percent = 101|line 1: traces: sample-percent 101 is not from 0 to 100",
        "log = 3|line 1: log is a table",
        "[log\nlevel = 1|line 1",
      })
  void aWrongValueIsAnErrorWithLineAndKey(String textAndError) throws IOException {
    int bar = textAndError.indexOf('|');
    Path file = write("config.toml", textAndError.substring(0, bar));
    assertThatThrownBy(() -> read(file))
        .isInstanceOf(JrtException.class)
        .hasMessageContaining(textAndError.substring(bar + 1));
  }

  @Test
  void dropInsFollowTheFileInTheOrderOfTheirNames() throws IOException {
    Path file = write("config.toml", "[events]\nreplay = 1\n[log]\nlevel = \"warn\"\n");
    write("config.d/20-b.toml", "[events]\nreplay = 3\n");
    write("config.d/10-a.toml", "[events]\nreplay = 2\n");
    Config config = read(file).current();
    assertThat(config.events().replay()).isEqualTo(3);
    assertThat(config.log().level()).isEqualTo(LogConfig.Level.WARN);
  }

  @Test
  void aReloadChangesWhatCanChangeAndTellsWhatCannot() throws IOException {
    Path file = write("config.toml", "[log]\nlevel = \"info\"\n");
    Configuration configuration = read(file);
    List<LogConfig.Level> heard = new ArrayList<>();
    configuration.onChange(config -> heard.add(config.log().level()));
    write("config.toml", "[log]\nlevel = \"debug\"\n[daemon]\nroot = \"/elsewhere\"\n");
    Configuration.Reloaded reloaded = configuration.reload();
    assertThat(reloaded.changed()).containsExactly("log.level");
    assertThat(reloaded.needRestart()).containsExactly("daemon.root");
    assertThat(heard).containsExactly(LogConfig.Level.INFO, LogConfig.Level.DEBUG);
    assertThat(configuration.current().daemon()).isEqualTo(DaemonConfig.DEFAULT);
  }

  @Test
  void aBadFileLeavesTheOldConfigurationInForce() throws IOException {
    Path file = write("config.toml", "[log]\nlevel = \"warn\"\n");
    Configuration configuration = read(file);
    write("config.toml", "[log]\nlevl = \"debug\"\n");
    assertThatThrownBy(configuration::reload).isInstanceOf(JrtException.class);
    assertThat(configuration.current().log().level()).isEqualTo(LogConfig.Level.WARN);
  }
}
