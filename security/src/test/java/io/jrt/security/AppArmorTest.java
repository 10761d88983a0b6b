package io.jrt.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On a made-up securityfs, with a parser that writes the name it was given into it. */
class AppArmorTest {
  private static final SecurityProfile DEFAULT = new SecurityProfile.RuntimeDefault();

  @TempDir Path directory;
  private Path parameter;
  private Path profiles;
  private Path parser;

  @BeforeEach
  void makeNode() throws IOException {
    parameter = directory.resolve("enabled");
    profiles = directory.resolve("profiles");
    parser = directory.resolve("parser");
    Files.writeString(profiles, "custom (enforce)\nother (complain)\n");
    Files.writeString(
        parser,
        """
        #!/bin/sh
        sed -n 's/^profile \\([^ ]*\\) .*/\\1 (enforce)/p' >> %s
        echo "$@" >> %s
        """
            .formatted(profiles, directory.resolve("calls")));
    Files.setPosixFilePermissions(parser, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private AppArmor node(String enabled) throws IOException {
    Files.writeString(parameter, enabled + "\n");
    return new AppArmor("jrt-default", parameter, profiles, List.of(parser));
  }

  private AppArmor withoutAppArmor() {
    return new AppArmor("jrt-default", directory.resolve("none"), profiles, List.of(parser));
  }

  @Test
  void defaultProfileIsLoadedOnce() throws IOException {
    AppArmor node = node("Y");

    assertThat(node.choose(DEFAULT)).contains("jrt-default");
    assertThat(node.choose(DEFAULT)).contains("jrt-default");
    assertThat(Files.readAllLines(directory.resolve("calls"))).containsExactly("-K -r");
  }

  @Test
  void kernelWithoutItIgnoresTheDefaultAndRefusesLocalhost() throws IOException {
    for (AppArmor node : List.of(node("N"), withoutAppArmor())) {
      assertThat(node.choose(DEFAULT)).isEmpty();
      assertThat(node.choose(new SecurityProfile.Unconfined())).isEmpty();
      assertThatThrownBy(() -> node.choose(new SecurityProfile.Localhost("custom")))
          .isInstanceOfSatisfying(
              JrtException.class,
              e -> assertThat(e.kind()).isEqualTo(ErrorKind.FAILED_PRECONDITION));
    }
  }

  @Test
  void localhostProfileMustBeLoaded() throws IOException {
    AppArmor node = node("Y");

    assertThat(node.choose(new SecurityProfile.Localhost("custom"))).contains("custom");
    assertThat(node.choose(new SecurityProfile.Localhost("localhost/other"))).contains("other");
    assertThatThrownBy(() -> node.choose(new SecurityProfile.Localhost("cust")))
        .hasMessage("apparmor profile \"cust\" is not loaded");
    assertThatThrownBy(() -> node.choose(new SecurityProfile.Localhost("x\ny")))
        .hasMessage("apparmor profile name is malformed");
  }

  @Test
  void nodeWithoutAParserRunsWithoutTheDefaultAndSaysSo() throws IOException {
    Files.delete(parser);
    AppArmor node = node("Y");

    assertThat(node.choose(DEFAULT)).isEmpty();
    assertThat(node.defaultUnavailable()).endsWith("apparmor_parser is missing");
    assertThat(node.choose(new SecurityProfile.Localhost("custom"))).contains("custom");
    Files.writeString(profiles, "jrt-default (enforce)\n");
    assertThat(node.choose(DEFAULT)).contains("jrt-default");
    assertThat(node.defaultUnavailable()).isEmpty();
  }

  @Test
  void unconfinedIsSaidAloud() throws IOException {
    assertThat(node("Y").choose(new SecurityProfile.Unconfined())).contains("unconfined");
  }

  @Test
  void parserThatFailsIsQuoted() throws IOException {
    Files.writeString(
        parser, "#!/bin/sh\ncat > /dev/null; echo 'syntax error, line 3' >&2; exit 1\n");
    AppArmor node = node("Y");

    assertThatThrownBy(() -> node.choose(DEFAULT))
        .hasMessage(parser + " ended with 1: syntax error, line 3");
  }
}
