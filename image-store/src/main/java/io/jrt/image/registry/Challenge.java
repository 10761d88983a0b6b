package io.jrt.image.registry;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * One challenge of {@code WWW-Authenticate} (RFC 9110).
 *
 * @param scheme in lower case
 * @param parameters names in lower case
 */
record Challenge(String scheme, Map<String, String> parameters) {
  private static final int MAX_LENGTH = 8192;

  /** Reads header values; what cannot be read is left out. */
  static List<Challenge> parse(List<String> headers) {
    var challenges = new ArrayList<Challenge>();
    for (String header : headers) {
      if (header.length() <= MAX_LENGTH) {
        parse(header, challenges);
      }
    }
    return challenges;
  }

  private static void parse(String header, List<Challenge> into) {
    var scan = new Scanner(header);
    Map<String, String> parameters = null;
    while (true) {
      scan.skip(" \t,");
      String word = scan.token();
      if (word.isEmpty()) {
        return;
      }
      scan.skip(" \t");
      if (scan.take('=') && parameters != null) {
        scan.skip(" \t");
        parameters.putIfAbsent(word.toLowerCase(Locale.ROOT), scan.value());
      } else {
        parameters = new TreeMap<>();
        into.add(new Challenge(word.toLowerCase(Locale.ROOT), parameters));
      }
    }
  }

  String parameter(String name) {
    return parameters.getOrDefault(name, "");
  }

  private static final class Scanner {
    private final String text;
    private int at;

    Scanner(String text) {
      this.text = text;
    }

    void skip(String characters) {
      while (at < text.length() && characters.indexOf(text.charAt(at)) >= 0) {
        at++;
      }
    }

    boolean take(char c) {
      if (at < text.length() && text.charAt(at) == c) {
        at++;
        return true;
      }
      return false;
    }

    String token() {
      int start = at;
      while (at < text.length() && " \t,=\"".indexOf(text.charAt(at)) < 0) {
        at++;
      }
      return text.substring(start, at);
    }

    String value() {
      if (!take('"')) {
        int start = at;
        while (at < text.length() && " \t,".indexOf(text.charAt(at)) < 0) {
          at++;
        }
        return text.substring(start, at);
      }
      var value = new StringBuilder();
      while (at < text.length() && text.charAt(at) != '"') {
        if (text.charAt(at) == '\\' && at + 1 < text.length()) {
          at++;
        }
        value.append(text.charAt(at++));
      }
      take('"');
      return value.toString();
    }
  }
}
