package io.jrt.linux;

import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;

/** Signal numbers (x86-64 and aarch64 have the same) and names. */
public final class Signals {
  public static final int SIGHUP = 1;
  public static final int SIGINT = 2;
  public static final int SIGQUIT = 3;
  public static final int SIGABRT = 6;
  public static final int SIGKILL = 9;
  public static final int SIGUSR1 = 10;
  public static final int SIGSEGV = 11;
  public static final int SIGUSR2 = 12;
  public static final int SIGPIPE = 13;
  public static final int SIGTERM = 15;
  public static final int SIGCHLD = 17;
  public static final int SIGCONT = 18;
  public static final int SIGSTOP = 19;
  public static final int SIGWINCH = 28;
  public static final int SIGSYS = 31;
  public static final int SIGRTMIN = 34;
  public static final int SIGRTMAX = 64;

  private static final List<String> NAMES =
      List.of(
          "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
          "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
          "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS");

  private Signals() {}

  /** {@code SIGTERM} for 15; {@code SIGRTMIN+3} for 37; the bare number for none. */
  public static String name(int signal) {
    if (signal >= 1 && signal <= NAMES.size()) {
      return "SIG" + NAMES.get(signal - 1);
    }
    if (signal == SIGRTMIN) {
      return "SIGRTMIN";
    }
    if (signal > SIGRTMIN && signal <= SIGRTMAX) {
      return "SIGRTMIN+" + (signal - SIGRTMIN);
    }
    return Integer.toString(signal);
  }

  /**
   * The number of {@code SIGTERM}, {@code TERM}, {@code term}, {@code 15}, {@code SIGRTMIN+3} or
   * {@code RTMAX-1}; empty for anything else.
   */
  public static OptionalInt parse(String text) {
    String name = text.strip().toUpperCase(Locale.ROOT);
    if (!name.isEmpty() && name.chars().allMatch(c -> c >= '0' && c <= '9') && name.length() < 4) {
      int number = Integer.parseInt(name);
      return number >= 1 && number <= SIGRTMAX ? OptionalInt.of(number) : OptionalInt.empty();
    }
    if (name.startsWith("SIG")) {
      name = name.substring(3);
    }
    int index = NAMES.indexOf(name);
    if (index >= 0) {
      return OptionalInt.of(index + 1);
    }
    return switch (name) {
      case "IOT" -> OptionalInt.of(SIGABRT);
      case "CLD" -> OptionalInt.of(SIGCHLD);
      case "POLL" -> OptionalInt.of(29);
      case "RTMIN" -> OptionalInt.of(SIGRTMIN);
      case "RTMAX" -> OptionalInt.of(SIGRTMAX);
      default -> realTime(name);
    };
  }

  private static OptionalInt realTime(String name) {
    boolean fromMin = name.startsWith("RTMIN+");
    if (!fromMin && !name.startsWith("RTMAX-")) {
      return OptionalInt.empty();
    }
    String rest = name.substring(6);
    if (rest.isEmpty() || rest.length() > 2 || !rest.chars().allMatch(Character::isDigit)) {
      return OptionalInt.empty();
    }
    int offset = Integer.parseInt(rest);
    int number = fromMin ? SIGRTMIN + offset : SIGRTMAX - offset;
    return number >= SIGRTMIN && number <= SIGRTMAX ? OptionalInt.of(number) : OptionalInt.empty();
  }
}
