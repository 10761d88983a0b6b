package io.jrt.image;

/**
 * What an image was built for, in Go's words.
 *
 * @param os {@code linux}
 * @param architecture {@code amd64}, {@code arm64}, {@code arm}…
 * @param variant {@code v7}, {@code v8}, {@code v3}…, or empty
 */
public record Platform(String os, String architecture, String variant) {

  /** The platform with aliases ({@code x86_64}, {@code aarch64}, {@code armhf}…) resolved. */
  public static Platform of(String os, String architecture, String variant) {
    return switch (architecture) {
      case "x86_64", "x86-64" -> new Platform(os, "amd64", variant);
      case "i386", "i686" -> new Platform(os, "386", variant);
      case "aarch64" -> new Platform(os, "arm64", variant.equals("v8") ? "" : variant);
      case "arm64" -> new Platform(os, "arm64", variant.equals("v8") ? "" : variant);
      case "armhf" -> new Platform(os, "arm", "v7");
      case "armel" -> new Platform(os, "arm", "v6");
      case "arm" -> new Platform(os, "arm", variant.isEmpty() ? "v7" : variant);
      case "amd64" -> new Platform(os, "amd64", variant.equals("v1") ? "" : variant);
      default -> new Platform(os, architecture, variant);
    };
  }

  /** The platform of this machine; amd64 without a variant. */
  public static Platform host() {
    return of("linux", System.getProperty("os.arch"), "");
  }

  @Override
  public String toString() {
    return os + "/" + architecture + (variant.isEmpty() ? "" : "/" + variant);
  }
}
