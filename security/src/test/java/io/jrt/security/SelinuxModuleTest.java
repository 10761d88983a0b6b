package io.jrt.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SelinuxModuleTest {
  @TempDir Path directory;

  private SelinuxModule enabled(int categories) throws IOException {
    Path selinuxfs = Files.createDirectories(directory.resolve("selinuxfs"));
    Files.writeString(selinuxfs.resolve("enforce"), "1");
    return module(categories, selinuxfs, "system_u:system_r:daemon_t:s0-s0:c0.c1023\0");
  }

  private SelinuxModule module(int categories, Path selinuxfs, String own) throws IOException {
    Path current = Files.writeString(directory.resolve("current"), own);
    return new SelinuxModule(true, categories, selinuxfs, directory.resolve("etc"), current);
  }

  @Test
  void kernelWithoutItLabelsNothing() throws IOException {
    SelinuxModule module = module(1024, directory, "unconfined\n");

    assertThat(module.enabled()).isFalse();
    assertThat(module.privileged() + module.images() + module.volumes()).isEmpty();
    assertThat(module.allocate(new SelinuxOptions("u", "r", "t", "s0:c1,c2")))
        .isEqualTo(SelinuxLabels.NONE);
    module.release("");
  }

  @Test
  void eachPodHasItsOwnPair() throws IOException {
    SelinuxModule module = enabled(1024);
    Set<String> levels = new HashSet<>();
    for (int i = 0; i < 500; i++) {
      SelinuxLabels labels = module.allocate(SelinuxOptions.NONE);
      assertThat(labels.process()).matches("system_u:system_r:container_t:s0:c\\d+,c\\d+");
      assertThat(labels.mount())
          .isEqualTo(labels.process().replace("system_r:container_t", "object_r:container_file_t"));
      levels.add(labels.process());
    }
    assertThat(levels).hasSize(500);
  }

  @Test
  void pairsAreGivenBackAndRunOut() throws IOException {
    SelinuxModule module = enabled(2);
    SelinuxLabels only = module.allocate(SelinuxOptions.NONE);

    assertThatThrownBy(() -> module.allocate(SelinuxOptions.NONE))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.EXHAUSTED));
    module.release(only.process());
    assertThat(module.allocate(SelinuxOptions.NONE)).isEqualTo(only);
  }

  @Test
  void levelSharedByTwoIsFreeWhenBothAreGone() throws IOException {
    SelinuxModule module = enabled(1024);
    SelinuxOptions asked = new SelinuxOptions("", "", "", "s0:c5,c3");
    String label = module.allocate(asked).process();
    module.reserve(label);

    module.release(label);
    assertThat(module.usedPairs()).containsExactly("c3,c5");
    module.release(label);
    assertThat(module.usedPairs()).isEmpty();
  }

  @Test
  void podsWordsReplaceTheDefaults() throws IOException {
    SelinuxLabels labels =
        enabled(1024).allocate(new SelinuxOptions("user_u", "user_r", "my_t", "s0:c1,c2"));

    assertThat(labels)
        .isEqualTo(
            new SelinuxLabels(
                "user_u:user_r:my_t:s0:c1,c2", "system_u:object_r:container_file_t:s0:c1,c2"));
  }

  @Test
  void distributionsContextsAreRead() throws IOException {
    Path etc = directory.resolve("etc");
    Files.createDirectories(etc.resolve("strict/contexts"));
    Files.writeString(etc.resolve("config"), "SELINUX=enforcing\nSELINUXTYPE=strict\n");
    Files.writeString(
        etc.resolve("strict/contexts/lxc_contexts"),
        "process = \"a_u:a_r:a_t:s0\"\nfile = \"b_u:b_r:b_t:s0\"\nro_file=\"c_u:c_r:c_t:s0\"\n");

    SelinuxModule module = enabled(1024);
    assertThat(module.images()).isEqualTo("c_u:c_r:c_t:s0");
    assertThat(module.volumes()).isEqualTo("b_u:b_r:b_t:s0");
    SelinuxLabels labels = module.allocate(new SelinuxOptions("", "", "", "s0"));
    assertThat(labels).isEqualTo(new SelinuxLabels("a_u:a_r:a_t:s0", "b_u:b_r:b_t:s0"));
  }

  @Test
  void kernelWithoutAPolicyLabelsNothing() throws IOException {
    Path selinuxfs = Files.createDirectories(directory.resolve("selinuxfs"));
    Files.writeString(selinuxfs.resolve("enforce"), "0");

    assertThat(module(1024, selinuxfs, "kernel\0").enabled()).isFalse();
  }

  @Test
  void privilegedContainersHaveATypeOfTheirOwnAndTheDaemonsLevel() throws IOException {
    assertThat(enabled(1024).privileged()).isEqualTo("system_u:system_r:spc_t:s0-s0:c0.c1023");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"s0", "s0:c1", "s0:c1,c3", "s0:c0.c1023", "s0-s0:c0.c1023", "s15:c1.c3,c5"})
  void levelsAsThePolicyWritesThem(String level) throws IOException {
    assertThat(enabled(1024).allocate(new SelinuxOptions("", "", "", level)).mount())
        .isEqualTo("system_u:object_r:container_file_t:" + level);
  }

  @ParameterizedTest
  @ValueSource(strings = {"s0,c4,c5", "c1,c2", "s0:", "s0:c1,", "s0:c12345", "s0-", "s0:c1 ", "x"})
  void otherLevelsAreRefused(String level) throws IOException {
    SelinuxModule module = enabled(1024);
    assertThatThrownBy(() -> module.allocate(new SelinuxOptions("", "", "", level)))
        .hasMessage("selinux level \"" + level + "\" is malformed");
  }

  @Test
  void partsThatCouldMakeAnotherLabelAreRefused() throws IOException {
    SelinuxModule module = enabled(1024);

    assertThatThrownBy(() -> module.allocate(new SelinuxOptions("a:b", "", "", "")))
        .isInstanceOf(JrtException.class);
    assertThatThrownBy(() -> module.allocate(new SelinuxOptions("", "", "", "s0\nx")))
        .isInstanceOf(JrtException.class);
  }
}
