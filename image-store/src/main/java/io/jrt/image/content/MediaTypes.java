package io.jrt.image.content;

import java.util.Locale;

/** The media types of OCI image-spec 1.1 and their docker twins. */
public final class MediaTypes {
  public static final String OCI_INDEX = "application/vnd.oci.image.index.v1+json";
  public static final String OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
  public static final String OCI_CONFIG = "application/vnd.oci.image.config.v1+json";
  public static final String DOCKER_LIST =
      "application/vnd.docker.distribution.manifest.list.v2+json";
  public static final String DOCKER_MANIFEST =
      "application/vnd.docker.distribution.manifest.v2+json";
  public static final String DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json";
  public static final String OCI_LAYER = "application/vnd.oci.image.layer.v1.tar";

  /** What a registry is asked to answer a manifest request with. */
  public static final String ACCEPT_MANIFESTS =
      String.join(", ", OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST, "*/*;q=0.1");

  private MediaTypes() {}

  public static boolean isIndex(String type) {
    return type.equals(OCI_INDEX) || type.equals(DOCKER_LIST);
  }

  public static boolean isManifest(String type) {
    return type.equals(OCI_MANIFEST) || type.equals(DOCKER_MANIFEST);
  }

  /** Docker schema 1, which nobody should meet any more. */
  public static boolean isSchema1(String type) {
    return type.startsWith("application/vnd.docker.distribution.manifest.v1+");
  }

  public static boolean isImageConfig(String type) {
    return type.equals(OCI_CONFIG) || type.equals(DOCKER_CONFIG);
  }

  /** Whether a layer of this type can be unpacked; the compression is found from its bytes. */
  public static boolean isLayer(String type) {
    String base = type;
    for (String suffix : new String[] {"+gzip", "+zstd", ".gzip", ".zstd"}) {
      if (base.endsWith(suffix)) {
        base = base.substring(0, base.length() - suffix.length());
        break;
      }
    }
    return switch (base) {
      case OCI_LAYER,
          "application/vnd.oci.image.layer.nondistributable.v1.tar",
          "application/vnd.docker.image.rootfs.diff.tar",
          "application/vnd.docker.image.rootfs.foreign.diff.tar" ->
          true;
      default -> false;
    };
  }

  /** A media type without its parameters, in lower case. */
  public static String bare(String header) {
    int semicolon = header.indexOf(';');
    return (semicolon < 0 ? header : header.substring(0, semicolon))
        .strip()
        .toLowerCase(Locale.ROOT);
  }
}
