package io.jrt.network.cni;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CniResultTest {
  private static List<String> ips(String index) throws PluginException {
    String text =
        """
        {"cniVersion":"1.0.0","interfaces":[{"name":"veth1"},{"name":"eth0","sandbox":"/x"}],
         "ips":[{"address":"10.0.0.2/24"%s}]}
        """
            .formatted(index.isEmpty() ? "" : ",\"interface\":" + index);
    return CniResult.attachment("id", "eth0", CniResult.parse("p", text, CniVersion.V1_0_0)).ips();
  }

  @Test
  void addressesOfThePodsInterfaceOrOfNoneAreThePods() throws PluginException {
    assertThat(ips("1")).containsExactly("10.0.0.2");
    assertThat(ips("")).containsExactly("10.0.0.2");
    assertThat(ips("0")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"7", "-1", "4294967297", "99999999999999999999", "1.5", "1e99"})
  void anInterfaceThatIsNotThereHasNoAddress(String index) throws PluginException {
    assertThat(ips(index)).isEmpty();
  }
}
