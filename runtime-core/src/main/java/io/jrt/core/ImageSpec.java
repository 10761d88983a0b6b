package io.jrt.core;

import java.util.Map;

/**
 * An image as the kubelet names it.
 *
 * @param image a reference or an image id
 * @param userSpecifiedImage what the pod's author wrote
 * @param imageRef the image id or digest resolved earlier, or empty
 */
public record ImageSpec(
    String image,
    Map<String, String> annotations,
    String userSpecifiedImage,
    String runtimeHandler,
    String imageRef) {
  public ImageSpec {
    annotations = Map.copyOf(annotations);
  }

  public static ImageSpec of(String image) {
    return new ImageSpec(image, Map.of(), "", "", "");
  }
}
