package io.jrt.events;

/** What happened to an image. */
public sealed interface ImageEvent extends Event {
  String reference();

  @Override
  default String object() {
    return reference();
  }

  /** It was fetched; bytes is what came over the network. */
  record Pulled(String reference, String imageId, long bytes, long millis) implements ImageEvent {}

  /** It could not be fetched. */
  record PullFailed(String reference, String step, String message) implements ImageEvent {}

  /** It was read from an archive. */
  record Imported(String reference, String imageId) implements ImageEvent {}

  /** It and its names are gone. */
  record Removed(String reference, String imageId) implements ImageEvent {}
}
