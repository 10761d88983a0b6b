package io.jrt.security;

import io.jrt.linux.Kernel;
import io.jrt.linux.Seccomp;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the audit records ({@code type=1326}) that the kernel writes to its log for filters made
 * with {@code explain}.
 */
public final class SeccompLog {
  private static final Pattern RECORD =
      Pattern.compile(
          ".*type=1326 audit\\(.* pid=(?<pid>\\d{1,9}) comm=(?<comm>\\S+)( exe=(?<exe>\\S+))?"
              + " sig=\\d+ arch=(?<arch>[0-9a-f]{1,8}) syscall=(?<call>-?\\d{1,9})"
              + " .*code=0x(?<code>[0-9a-f]{1,8}).*");

  private static final List<String> ARCHITECTURES =
      List.of(
          "x86_64", "x86", "aarch64", "arm", "ppc64le", "s390x", "s390", "riscv64", "loongarch64");

  private final Seccomp seccomp;

  public SeccompLog(Kernel kernel) {
    this.seccomp = kernel.seccomp();
  }

  /** The denial of a line of {@code /dev/kmsg}, or empty for any other line. */
  public Optional<SeccompDenial> parse(String line) {
    Matcher matcher = RECORD.matcher(line);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    int architecture = HexFormat.fromHexDigits(matcher.group("arch"));
    int number = Integer.parseInt(matcher.group("call"));
    String exe = matcher.group("exe");
    return Optional.of(
        new SeccompDenial(
            Integer.parseInt(matcher.group("pid")),
            unquoted(matcher.group("comm")),
            exe == null ? "" : unquoted(exe),
            name(architecture, number),
            HexFormat.fromHexDigits(matcher.group("code"))));
  }

  private String name(int token, int number) {
    return seccomp
        .name(token, number)
        .or(
            () ->
                ARCHITECTURES.stream()
                    .filter(name -> seccomp.resolveArch(name).orElse(0) == token)
                    .findFirst()
                    .flatMap(name -> NewSystemCalls.name(name, number)))
        .orElse(String.valueOf(number));
  }

  /** A value is quoted, or in hexadecimal digits when it has odd characters. */
  private static String unquoted(String value) {
    if (value.startsWith("\"") && value.endsWith("\"") && value.length() >= 2) {
      return value.substring(1, value.length() - 1);
    }
    return value;
  }
}
