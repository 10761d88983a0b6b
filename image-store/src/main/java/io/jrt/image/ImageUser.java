package io.jrt.image;

import java.util.OptionalInt;

/**
 * The checked {@code USER} of an image. Names are to be looked up in the container's own passwd and
 * group files.
 *
 * @param user a number up to 2^31-1, a name, or empty when the image names none
 * @param group a number up to 2^31-1, a name, or empty when the image names none
 */
public record ImageUser(String user, String group) {

  /** The user as a number, if it is one. */
  public OptionalInt uid() {
    return number(user);
  }

  /** The group as a number, if it is one. */
  public OptionalInt gid() {
    return number(group);
  }

  private static OptionalInt number(String text) {
    boolean digits = !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9');
    return digits ? OptionalInt.of(Integer.parseInt(text)) : OptionalInt.empty();
  }
}
