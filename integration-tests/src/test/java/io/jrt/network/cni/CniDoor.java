package io.jrt.network.cni;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.NullMarked;

/** The way of the fuzz targets to what this package keeps to itself. */
@NullMarked
public final class CniDoor {
  private CniDoor() {}

  public static void result(byte[] bytes) throws Exception {
    try {
      CniResult.attachment(
          "id",
          "eth0",
          CniResult.parse("plugin", new String(bytes, StandardCharsets.UTF_8), CniVersion.V1_1_0));
    } catch (PluginException refused) {
      throw new java.io.IOException(refused);
    }
  }
}
