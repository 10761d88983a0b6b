package io.jrt.image.policy;

import java.util.regex.Pattern;

/**
 * A pattern of image names without tag: {@code *} stands for anything but a slash, {@code **} for
 * anything, as in {@code harbor.example/prod/**}.
 */
record ImagePattern(String text) {

  boolean matches(String name) {
    var regex = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c != '*') {
        regex.append(Pattern.quote(String.valueOf(c)));
      } else if (i + 1 < text.length() && text.charAt(i + 1) == '*') {
        regex.append(".*");
        i++;
      } else {
        regex.append("[^/]*");
      }
    }
    return Pattern.matches(regex.toString(), name);
  }

  @Override
  public String toString() {
    return text;
  }
}
