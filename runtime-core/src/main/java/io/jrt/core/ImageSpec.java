package io.jrt.core;

import io.jrt.errors.JrtException;
import io.jrt.image.Reference;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

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
  private static final Pattern ID = Pattern.compile("(sha256:)?[0-9a-f]{64}");

  public ImageSpec {
    annotations = Map.copyOf(annotations);
  }

  /**
   * What the pod's author wrote, in full: {@code docker.io/library/app:1} for {@code app:1}. Empty
   * where that was not told, or is an id.
   */
  public Optional<Reference> written() {
    if (userSpecifiedImage.isEmpty() || ID.matcher(userSpecifiedImage).matches()) {
      return Optional.empty();
    }
    try {
      return Optional.of(Reference.parse(userSpecifiedImage));
    } catch (JrtException e) {
      // It is for display only; the image was found by what it is asked for with.
      return Optional.empty();
    }
  }

  public static ImageSpec of(String image) {
    return new ImageSpec(image, Map.of(), "", "", "");
  }
}
