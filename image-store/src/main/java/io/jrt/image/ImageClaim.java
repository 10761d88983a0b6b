package io.jrt.image;

import java.util.Objects;

/**
 * A value that an image or a registry claims. It was written by whoever built the image, so it is
 * no instruction: the only way to the value is a named {@link ClaimCheck}.
 *
 * @param <T> what is claimed
 */
public final class ImageClaim<T> {
  private final String what;
  private final T claimed;

  private ImageClaim(String what, T claimed) {
    this.what = what;
    this.claimed = claimed;
  }

  /**
   * @param what names the value in errors, such as {@code the image's working directory}
   */
  public static <T> ImageClaim<T> of(String what, T claimed) {
    return new ImageClaim<>(what, Objects.requireNonNull(claimed));
  }

  /**
   * The value as the check lets it through.
   *
   * @throws io.jrt.errors.JrtException INVALID when the check refuses it
   */
  public <R> R through(ClaimCheck<? super T, ? extends R> check) {
    return check.apply(what, claimed);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ImageClaim<?> that
        && what.equals(that.what)
        && claimed.equals(that.claimed);
  }

  @Override
  public int hashCode() {
    return Objects.hash(what, claimed);
  }

  /** Says what is claimed, not the value: a claim must not reach a log by accident. */
  @Override
  public String toString() {
    return "claim of " + what;
  }
}
