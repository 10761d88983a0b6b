package io.jrt.security;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Which kernel parameters a pod may set: only those that belong to a namespace of the pod, never
 * the node's.
 *
 * <p>A name reaches a path below {@code /proc/sys} and a value reaches a file, so both are held to
 * a narrow alphabet: an entry that smuggles a second one (CVE-2022-0811: {@code +}, newline) is
 * refused before anything is written.
 */
public final class Sysctls {
  private static final String STEP = "check sysctl";

  private static final Pattern NAME = Pattern.compile("[a-z0-9_-]+([./][A-Za-z0-9_.:@-]+)+");

  private static final int MAX_VALUE_BYTES = 4095;

  private static final Set<String> IPC =
      Set.of(
          "kernel.msgmax",
          "kernel.msgmnb",
          "kernel.msgmni",
          "kernel.sem",
          "kernel.shmall",
          "kernel.shmmax",
          "kernel.shmmni",
          "kernel.shm_rmid_forced",
          "kernel.msg_next_id",
          "kernel.sem_next_id",
          "kernel.shm_next_id",
          "kernel.auto_msgmni");

  private static final Set<String> UTS = Set.of("kernel.hostname", "kernel.domainname");

  private Sysctls() {}

  /** What the pod shares with the node; its parameters then belong to the node. */
  public record Shared(boolean network, boolean ipc, boolean uts) {
    /** The pod has its own of everything. */
    public static final Shared NOTHING = new Shared(false, false, false);
  }

  /**
   * Checks all and gives them back under their path below {@code /proc/sys} ({@code
   * net/ipv4/ip_forward}), in the order given.
   *
   * @throws JrtException INVALID for a malformed name or value, DENIED for one that is not the
   *     pod's to set
   */
  public static Map<String, String> check(Map<String, String> sysctls, Shared shared) {
    Map<String, String> paths = new LinkedHashMap<>();
    sysctls.forEach(
        (name, value) -> {
          String path = checkName(name, shared);
          checkValue(name, value);
          if (paths.putIfAbsent(path, value) != null) {
            throw invalid("sysctl \"%s\" is given twice in different spellings".formatted(name));
          }
        });
    return paths;
  }

  private static String checkName(String name, Shared shared) {
    if (!NAME.matcher(name).matches()) {
      throw invalid("sysctl name \"%s\" is malformed".formatted(show(name)));
    }
    String path = path(name);
    for (String part : path.split("/", -1)) {
      if (part.isEmpty() || part.equals(".") || part.equals("..")) {
        throw invalid("sysctl name \"%s\" is malformed".formatted(show(name)));
      }
    }
    String dotted = dotted(path);
    if (dotted.startsWith("net.")) {
      if (shared.network()) {
        throw denied("sysctl \"%s\" is refused: the pod uses the node's network".formatted(name));
      }
    } else if (IPC.contains(dotted) || dotted.startsWith("fs.mqueue.")) {
      if (shared.ipc()) {
        throw denied("sysctl \"%s\" is refused: the pod uses the node's ipc".formatted(name));
      }
    } else if (UTS.contains(dotted)) {
      if (shared.uts()) {
        throw denied("sysctl \"%s\" is refused: the pod uses the node's names".formatted(name));
      }
    } else {
      throw denied(
          "sysctl \"%s\" is refused: it is the node's and not in a namespace".formatted(name));
    }
    return path;
  }

  private static void checkValue(String name, String value) {
    if (value.getBytes(StandardCharsets.UTF_8).length > MAX_VALUE_BYTES) {
      throw invalid("the value of sysctl \"%s\" is too long".formatted(name));
    }
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      boolean plain = c == '\t' || (c >= ' ' && c < 0x7f && c != '+');
      if (!plain) {
        throw invalid(
            "the value of sysctl \"%s\" has the character U+%04X, which is not allowed"
                .formatted(name, (int) c));
      }
    }
  }

  /**
   * sysctl(8)'s rule: the first separator decides; in the dotted form a slash stands for a dot
   * inside a component ({@code net.ipv4.conf.eth0/100.forwarding}).
   */
  private static String path(String name) {
    int dot = name.indexOf('.');
    int slash = name.indexOf('/');
    if (slash >= 0 && (dot < 0 || slash < dot)) {
      return name;
    }
    StringBuilder path = new StringBuilder(name.length());
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      path.append(c == '.' ? '/' : c == '/' ? '.' : c);
    }
    return path.toString();
  }

  private static String dotted(String path) {
    return path.replace('/', '.');
  }

  private static String show(String name) {
    StringBuilder shown = new StringBuilder();
    for (int i = 0; i < Math.min(name.length(), 80); i++) {
      char c = name.charAt(i);
      shown.append(c < ' ' || c >= 0x7f ? '?' : c);
    }
    return shown.toString();
  }

  private static JrtException invalid(String message) {
    return new JrtException(ErrorKind.INVALID, STEP, message);
  }

  private static JrtException denied(String message) {
    return new JrtException(ErrorKind.DENIED, STEP, message);
  }
}
