package io.jrt.security;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Seccomp;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SeccompProfileReaderTest {

  private static SeccompProfile read(String json) {
    return SeccompProfileReader.read("p.json", json.getBytes(UTF_8));
  }

  private static void refused(String json, String message) {
    assertThatThrownBy(() -> read(json))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.INVALID))
        .hasMessage(message);
  }

  @Test
  void readsAllOfAnOciProfile() {
    SeccompProfile profile =
        read(
            """
            {
              "defaultAction": "SCMP_ACT_ERRNO",
              "defaultErrnoRet": 38,
              "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
              "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC"],
              "listenerPath": "/run/listener",
              "listenerMetadata": "m",
              "comment": {"anything": [1, 2, {}]},
              "syscalls": [
                {
                  "names": ["read", "write"],
                  "action": "SCMP_ACT_ALLOW",
                  "args": [
                    {"index": 5, "value": 18446744073709551615, "valueTwo": 7,
                     "op": "SCMP_CMP_MASKED_EQ"}
                  ]
                },
                {"names": ["mount"], "action": "SCMP_ACT_NOTIFY"}
              ]
            }
            """);

    assertThat(profile.defaultAction()).isEqualTo(Seccomp.actionErrno(38));
    assertThat(profile.architectures()).containsExactly("SCMP_ARCH_X86_64", "SCMP_ARCH_X86");
    assertThat(profile.flags()).isEqualTo(OptionalInt.of(3));
    assertThat(profile.listenerPath()).isEqualTo("/run/listener");
    assertThat(profile.rules().getFirst().names()).containsExactly("read", "write");
    assertThat(profile.rules().getFirst().line()).isEqualTo(10);
    assertThat(profile.rules().getFirst().arguments())
        .isEqualTo(List.of(new Seccomp.Argument(5, Seccomp.Comparison.MASKED_EQ, -1L, 7)));
    assertThat(profile.rules().get(1).action()).isEqualTo(Seccomp.SCMP_ACT_NOTIFY);
  }

  @Test
  void readsDockersForm() {
    SeccompProfile profile =
        read(
            """
            {
              "defaultAction": "SCMP_ACT_KILL_PROCESS",
              "architectures": null,
              "archMap": [
                {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
                {"architecture": "SCMP_ARCH_RISCV64", "subArchitectures": null}
              ],
              "syscalls": [
                {
                  "name": "bpf", "action": "SCMP_ACT_ALLOW", "args": null, "comment": "",
                  "includes": {"caps": ["CAP_BPF"], "arches": ["amd64"], "minKernel": "5.8"},
                  "excludes": {}
                }
              ]
            }
            """);

    assertThat(profile.architectureMap().getFirst().subArchitectures())
        .containsExactly("SCMP_ARCH_X86");
    assertThat(profile.rules().getFirst().names()).containsExactly("bpf");
    assertThat(profile.rules().getFirst().includes())
        .isEqualTo(new SeccompProfile.Condition(List.of("CAP_BPF"), List.of("amd64"), "5.8"));
    assertThat(profile.flags()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "SCMP_ACT_KILL, 0x00000000",
    "SCMP_ACT_KILL_THREAD, 0x00000000",
    "SCMP_ACT_KILL_PROCESS, 0x80000000",
    "SCMP_ACT_TRAP, 0x00030000",
    "SCMP_ACT_ERRNO, 0x00050001",
    "SCMP_ACT_TRACE, 0x7ff00001",
    "SCMP_ACT_ALLOW, 0x7fff0000",
    "SCMP_ACT_LOG, 0x7ffc0000",
  })
  void everyActionIsKnown(String name, String value) {
    assertThat(read("{\"defaultAction\": \"" + name + "\"}").defaultAction())
        .isEqualTo(Long.decode(value).intValue());
  }

  @Test
  void errorsNameFileLineAndRule() {
    refused("{", "p.json:1: Unexpected end-of-input: expected close marker for Object");
    refused("[]", "p.json:1: a profile is of the wrong type");
    refused("{}", "p.json:1: defaultAction is missing");
    refused("{\n\"defaultAction\": \"ALLOW\"}", "p.json:2: unknown action \"ALLOW\"");
    refused(
        """
        {
          "defaultAction": "SCMP_ACT_ALLOW",
          "syscalls": [
            {"names": ["a"], "action": "SCMP_ACT_LOG"},
            {"names": ["b"],
             "action": "SCMP_ACT_DENY"}
          ]
        }
        """,
        "p.json:6: syscalls[1]: unknown action \"SCMP_ACT_DENY\"");
    refused(
        """
        {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
          {"names": [], "action": "SCMP_ACT_LOG"}]}
        """,
        "p.json:2: syscalls[0]: the rule names no system call");
    refused(
        """
        {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
          {"names": ["a"], "action": "SCMP_ACT_LOG", "args": [
            {"index": 6, "value": 0, "op": "SCMP_CMP_EQ"}]}]}
        """,
        "p.json:3: syscalls[0]: argument index 6 is outside 0-5");
    refused(
        """
        {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
          {"names": ["a"], "action": "SCMP_ACT_LOG", "args": [
            {"index": 1, "value": 0, "op": "EQ"}]}]}
        """,
        "p.json:3: syscalls[0]: unknown operator \"EQ\"");
    refused(
        """
        {"defaultAction": "SCMP_ACT_ALLOW",
         "syscalls": [{"names": ["a"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5000}]}
        """,
        "p.json:2: syscalls[0]: errnoRet 5000 is outside 0-4095");
    refused(
        """
        {"defaultAction": "SCMP_ACT_ALLOW",
         "syscalls": [{"names": ["a"], "action": "SCMP_ACT_LOG", "errnoRet": 1}]}
        """,
        "p.json:2: syscalls[0]: errnoRet does not go with action SCMP_ACT_LOG");
    refused(
        """
        {"defaultAction": "SCMP_ACT_ALLOW",
         "syscalls": [{"names": ["a"], "action": "SCMP_ACT_NOTIFY"}]}
        """,
        "p.json:2: SCMP_ACT_NOTIFY needs a listenerPath");
    refused(
        "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"flags\": [\"FLAG\"]}",
        "p.json:1: unknown flag \"FLAG\"");
  }

  @Test
  void builtInProfileIsReadable() {
    SeccompProfile profile =
        SeccompProfileReader.read("runtime/default", SeccompProfiles.defaultJson());

    assertThat(profile.defaultAction()).isEqualTo(Seccomp.actionErrno(1));
    assertThat(profile.rules()).hasSizeGreaterThan(30);
  }

  @Test
  void damagedProfilesAreInvalidAndNothingElse() {
    byte[] whole = SeccompProfiles.defaultJson();
    Random random = new Random(11);
    for (int round = 0; round < 3000; round++) {
      byte[] damaged = whole.clone();
      for (int i = 0; i < 1 + round % 3; i++) {
        int at = random.nextInt(damaged.length);
        damaged[at] =
            round % 2 == 0 ? (byte) random.nextInt() : damaged[random.nextInt(whole.length)];
      }
      int length = round % 5 == 0 ? random.nextInt(damaged.length) : damaged.length;
      try {
        SeccompProfileReader.read("p.json", Arrays.copyOf(damaged, length));
      } catch (JrtException e) {
        assertThat(e.kind()).isEqualTo(ErrorKind.INVALID);
        assertThat(e.getMessage()).matches("(?s)p\\.json:\\d+: .*");
      }
    }
  }

  @Test
  void deepAndEndlessJsonIsRefused() {
    refusedAtAll("{\"x\": " + "[".repeat(100_000) + "]".repeat(100_000) + "}");
    refusedAtAll("{\"defaultAction\": \"" + "A".repeat(1 << 20) + "\"}");
    refusedAtAll("{\"" + "k".repeat(1 << 20) + "\": 1}");
  }

  private static void refusedAtAll(String json) {
    assertThatThrownBy(() -> read(json))
        .isInstanceOfSatisfying(
            JrtException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.INVALID));
  }
}
