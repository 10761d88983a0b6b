package io.jrt.network.cni;

import io.jrt.errors.ErrorKind;
import io.jrt.network.Attachment;
import io.jrt.network.Cidr;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Reads what plugins answer to ADD. */
final class CniResult {
  private CniResult() {}

  /**
   * The result in a plugin's output, in the version that was asked for.
   *
   * @throws PluginException it is no result, or of a version nobody knows
   */
  static ObjectNode parse(String type, String output, CniVersion version) throws PluginException {
    ObjectNode result =
        PluginRunner.object(output)
            .orElseThrow(
                () ->
                    new PluginException(
                        ErrorKind.UNAVAILABLE,
                        "cni plugin "
                            + type
                            + " (ADD) answered no JSON: \""
                            + PluginRunner.shorten(output)
                            + "\""));
    String claimed = result.path("cniVersion").asString("");
    if (!CniVersion.isKnown(claimed)) {
      throw new PluginException(
          ErrorKind.UNAVAILABLE,
          "cni plugin "
              + type
              + " (ADD) answered in version \""
              + claimed
              + "\", asked for "
              + version.text());
    }
    convert(result, CniVersion.of(claimed), version);
    return result;
  }

  /** Until 0.4 an address says its family; later it does not. */
  private static void convert(ObjectNode result, CniVersion from, CniVersion to) {
    boolean had = !from.atLeast(CniVersion.V1_0_0);
    boolean wants = !to.atLeast(CniVersion.V1_0_0);
    if (had != wants) {
      for (JsonNode ip : result.path("ips")) {
        if (ip instanceof ObjectNode address) {
          if (wants) {
            address.put("version", address.path("address").asString("").contains(":") ? "6" : "4");
          } else {
            address.remove("version");
          }
        }
      }
    }
    result.put("cniVersion", to.text());
  }

  /** The pod's side of a result: addresses of the interface, or of none in particular. */
  static Attachment attachment(String sandboxId, String interfaceName, ObjectNode result) {
    List<String> ips = new ArrayList<>();
    String mac = "";
    int mtu = 0;
    JsonNode interfaces = result.path("interfaces");
    for (JsonNode ip : result.path("ips")) {
      JsonNode index = ip.path("interface");
      boolean ofOne = index.isIntegralNumber() && index.canConvertToInt();
      if (!index.isNumber()
          || (ofOne && isPods(interfaces.path(index.intValue()), interfaceName))) {
        ips.add(Cidr.parse(ip.path("address").asString("")).address().toString());
      }
    }
    for (JsonNode one : interfaces) {
      if (isPods(one, interfaceName)) {
        mac = one.path("mac").asString("");
        mtu = one.path("mtu").asInt(0);
      }
    }
    return new Attachment(sandboxId, interfaceName, ips, mac, mtu);
  }

  private static boolean isPods(JsonNode one, String interfaceName) {
    return one.path("name").asString("").equals(interfaceName)
        && !one.path("sandbox").asString("").isEmpty();
  }
}
