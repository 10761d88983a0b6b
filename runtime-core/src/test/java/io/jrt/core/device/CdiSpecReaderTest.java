package io.jrt.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.core.device.CdiEdits.Hook;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CdiSpecReaderTest {
  @Test
  void everyEditOfYamlIsReadAndWrittenAgain() {
    CdiSpec spec =
        CdiSpecReader.parse(
            "/etc/cdi/all.yaml",
            """
            cdiVersion: 1.1.0
            kind: vendor.example/net-gpu.v1
            annotations: {made: by hand}
            containerEdits:
              env: [ONE=1]
            devices:
            - name: "0:1"
              annotations: {slot: "4"}
              containerEdits:
                env: ["TWO=a=b"]
                deviceNodes:
                - path: /dev/x
                  hostPath: /dev/y
                  type: c
                  major: 10
                  minor: 200
                  fileMode: 438
                  permissions: rw
                  uid: 5
                  gid: 6
                netDevices: [{hostInterfaceName: ib0, name: net1}]
                mounts:
                - {hostPath: /a, containerPath: /b, type: bind, options: [ro, rbind]}
                hooks:
                - hookName: createRuntime
                  path: /bin/hook
                  args: [hook, now]
                  env: [A=b]
                  timeout: 5
                additionalGids: [0, 44]
                intelRdt: {closID: gold, l3CacheSchema: "L3:0=f", enableMonitoring: true}
            """);
    CdiSpec.Device device = spec.devices().getFirst();
    assertThat(device.name()).isEqualTo("0:1");
    assertThat(device.edits().groups()).containsExactly(44L);
    assertThat(device.edits().hooks())
        .containsExactly(
            new Hook(
                Hook.Moment.CREATE_RUNTIME,
                "/bin/hook",
                List.of("hook", "now"),
                List.of("A=b"),
                Optional.of(5)));
    assertThat(device.edits().nodes().getFirst().mode()).contains(0666);
    CdiSpec again = CdiSpecReader.parse("/etc/cdi/all.yaml", CdiWriter.json(spec));
    assertThat(again).isEqualTo(spec);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          0.3.0 | mounts: [{hostPath: /a, containerPath: /b, type: bind}] | type of a mount, of 0.4.0
          0.4.0 | deviceNodes: [{path: /dev/x, hostPath: /dev/y}] | hostPath of a device node, of 0.5.0
          0.6.0 | additionalGids: [1] | additionalGids, of 0.7.0
          0.6.0 | intelRdt: {closID: x} | intelRdt, of 0.7.0
          1.0.0 | netDevices: [{hostInterfaceName: a, name: b}] | netDevices, of 1.1.0
          1.1.0 | intelRdt: {enableCMT: true} | enableCMT
          1.0.0 | surprise: 1 | unknown field "surprise"
          1.0.0 | env: [NOTHING] | environment entry "NOTHING"
          1.0.0 | deviceNodes: [{path: dev/x}] | not absolute
          1.0.0 | deviceNodes: [{path: /dev/../x}] | with dots
          1.0.0 | deviceNodes: [{path: /dev/x, permissions: rwx}] | permissions "rwx"
          1.0.0 | deviceNodes: [{path: /dev/x, type: z}] | unknown type "z"
          1.0.0 | hooks: [{hookName: never, path: /x}] | unknown hook "never"
          1.0.0 | hooks: [{hookName: poststop, path: /x, timeout: 0}] | timeout of 0
          1.0.0 | env: [] | changes nothing
          2.0.0 | env: [A=b] | cdiVersion 2.0.0
          """)
  void refusedWithTheFileAndTheReason(String version, String edit, String reason) {
    assertThatThrownBy(
            () ->
                CdiSpecReader.parse(
                    "/run/cdi/bad.yaml",
                    """
                    cdiVersion: %s
                    kind: a.b/c
                    devices: [{name: d, containerEdits: {%s}}]
                    """
                        .formatted(version, edit)))
        .hasMessageContaining("/run/cdi/bad.yaml")
        .hasMessageContaining(reason);
  }

  @Test
  void namesAreCheckedAsTheSpecificationSays() {
    assertThat(CdiName.parse("nvidia.com/gpu=GPU-1:2.x").device()).isEqualTo("GPU-1:2.x");
    for (String bad : List.of("gpu", "a/b", "1a/b=c", "a/b=", "a/b=-c", "a/b=c-", "a /b=c")) {
      assertThatThrownBy(() -> CdiName.parse(bad)).hasMessageContaining(bad);
    }
  }
}
