package io.jrt.image;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The checks through which a value leaves an {@link ImageClaim}. All there are stand here, so that
 * one reading shows what an image can influence.
 *
 * @param <T> what is claimed
 * @param <R> what comes out
 */
public final class ClaimCheck<T, R> {
  private static final int MAX_STRING = 1 << 20;
  private static final int MAX_PATH = 4096;
  private static final Pattern SIGNAL =
      Pattern.compile("[0-9]{1,2}|(SIG)?[A-Z][A-Z0-9]{1,9}([+-][0-9]{1,2})?");
  private static final Pattern USER_NAME = Pattern.compile("[A-Za-z0-9_.][A-Za-z0-9_.$@-]{0,255}");

  /** Environment of a process: {@code NAME=value}, a name, no NUL; later entries win elsewhere. */
  public static final ClaimCheck<List<String>, List<String>> ENVIRONMENT =
      new ClaimCheck<>(ClaimCheck::environment);

  /** Arguments of a process: no NUL, of a size that execve can take. */
  public static final ClaimCheck<List<String>, List<String>> ARGUMENTS =
      new ClaimCheck<>(ClaimCheck::arguments);

  /** A working directory: empty, or absolute; it is looked up inside the container only. */
  public static final ClaimCheck<String, String> WORKING_DIR =
      new ClaimCheck<>(ClaimCheck::workingDir);

  /** The user a process runs as; ids that do not fit the kernel's signed range are refused. */
  public static final ClaimCheck<String, ImageUser> USER = new ClaimCheck<>(ClaimCheck::user);

  /** Paths of volumes: absolute, without {@code ..}; to be resolved inside the container only. */
  public static final ClaimCheck<List<String>, List<String>> VOLUME_PATHS =
      new ClaimCheck<>(ClaimCheck::volumePaths);

  /** A signal's name or number by form ({@code SIGTERM}, {@code TERM}, {@code 15}), or empty. */
  public static final ClaimCheck<String, String> STOP_SIGNAL =
      new ClaimCheck<>(ClaimCheck::stopSignal);

  /** Text for people and for {@code info} maps only; must never steer anything. */
  public static final ClaimCheck<String, String> DISPLAY =
      new ClaimCheck<>((what, claimed) -> printable(claimed));

  /** Lists for people and for {@code info} maps only; must never steer anything. */
  public static final ClaimCheck<List<String>, List<String>> DISPLAY_LIST =
      new ClaimCheck<>((what, claimed) -> claimed.stream().map(ClaimCheck::printable).toList());

  /** Labels for people and for {@code info} maps only; must never steer anything. */
  public static final ClaimCheck<Map<String, String>, Map<String, String>> DISPLAY_LABELS =
      new ClaimCheck<>((what, claimed) -> Map.copyOf(claimed));

  private interface Rule<T, R> {
    R check(String what, T claimed);
  }

  private final Rule<T, R> rule;

  private ClaimCheck(Rule<T, R> rule) {
    this.rule = rule;
  }

  R apply(String what, T claimed) {
    return rule.check(what, claimed);
  }

  private static List<String> environment(String what, List<String> claimed) {
    var checked = new ArrayList<String>(claimed.size());
    for (String entry : arguments(what, claimed)) {
      int equals = entry.indexOf('=');
      if (equals == 0 || entry.isEmpty()) {
        throw refused(what, "an entry has no name");
      }
      // Builders write a bare NAME for "set to nothing".
      checked.add(equals < 0 ? entry + "=" : entry);
    }
    return List.copyOf(checked);
  }

  private static List<String> arguments(String what, List<String> claimed) {
    long total = 0;
    for (String argument : claimed) {
      if (argument.indexOf('\0') >= 0) {
        throw refused(what, "it holds a NUL character");
      }
      total += argument.length();
      if (total > MAX_STRING) {
        throw refused(what, "it is longer than " + MAX_STRING + " characters");
      }
    }
    return List.copyOf(claimed);
  }

  private static String workingDir(String what, String claimed) {
    return claimed.isEmpty() ? claimed : absolutePath(what, claimed);
  }

  private static String absolutePath(String what, String claimed) {
    if (!claimed.startsWith("/")) {
      throw refused(what, "'" + printable(claimed) + "' is not absolute");
    }
    if (claimed.length() > MAX_PATH || claimed.indexOf('\0') >= 0) {
      throw refused(what, "it is longer than " + MAX_PATH + " characters or holds a NUL");
    }
    return claimed;
  }

  private static List<String> volumePaths(String what, List<String> claimed) {
    for (String path : claimed) {
      absolutePath(what, path);
      for (String part : path.split("/")) {
        if (part.equals("..")) {
          throw refused(what, "'" + printable(path) + "' climbs with '..'");
        }
      }
    }
    return List.copyOf(claimed);
  }

  private static String stopSignal(String what, String claimed) {
    if (!claimed.isEmpty() && !SIGNAL.matcher(claimed).matches()) {
      throw refused(what, "'" + printable(claimed) + "' is no signal");
    }
    return claimed;
  }

  private static ImageUser user(String what, String claimed) {
    int colon = claimed.indexOf(':');
    String user = colon < 0 ? claimed : claimed.substring(0, colon);
    String group = colon < 0 ? "" : claimed.substring(colon + 1);
    return new ImageUser(idOrName(what, user), idOrName(what, group));
  }

  private static String idOrName(String what, String text) {
    if (text.isEmpty()) {
      return text;
    }
    if (text.chars().allMatch(c -> c >= '0' && c <= '9')) {
      // 2^31 and above turn negative or into -1 ("leave as it is") on the way to setresuid.
      if (text.length() > 10 || Long.parseLong(text) > Integer.MAX_VALUE) {
        throw refused(what, "id " + printable(text) + " is above " + Integer.MAX_VALUE);
      }
      return text;
    }
    if (!USER_NAME.matcher(text).matches()) {
      throw refused(what, "'" + printable(text) + "' is neither an id nor a name");
    }
    return text;
  }

  private static String printable(String text) {
    String shown = text.length() > 256 ? text.substring(0, 256) + "…" : text;
    return shown.replaceAll("\\p{Cntrl}", "?");
  }

  private static JrtException refused(String what, String why) {
    return new JrtException(ErrorKind.INVALID, "check image", what + " is refused: " + why);
  }
}
