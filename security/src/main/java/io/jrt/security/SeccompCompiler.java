package io.jrt.security;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Errno;
import io.jrt.linux.KernelException;
import io.jrt.linux.Seccomp;
import io.jrt.security.SeccompProfile.Condition;
import io.jrt.security.SeccompProfile.Rule;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;

/**
 * Turns a profile into a BPF program by libseccomp, with a prelude of our own for calls that
 * libseccomp or the profile is too old to know.
 */
final class SeccompCompiler {
  private static final String STEP = "compile seccomp profile";

  /** Level 2 of SCMP_FLTATR_CTL_OPTIMIZE: a binary tree instead of a chain of comparisons. */
  private static final int BINARY_TREE = 2;

  private static final Map<String, String> GO_NAMES =
      Map.of(
          "x86_64", "amd64",
          "x86", "386",
          "aarch64", "arm64",
          "loongarch64", "loong64");

  private static final List<String> NATIVE_CANDIDATES =
      List.of("x86_64", "aarch64", "arm", "ppc64le", "s390x", "riscv64", "loongarch64", "x86");

  private final Seccomp seccomp;
  private final KernelVersion kernel;
  private final String nativeName;

  SeccompCompiler(Seccomp seccomp, KernelVersion kernel) {
    this.seccomp = seccomp;
    this.kernel = kernel;
    this.nativeName = nativeName(seccomp);
  }

  SeccompFilter compile(SeccompProfile profile, long boundingCapabilities, boolean explain) {
    Map<String, Integer> architectures = architectures(profile);
    List<Rule> rules =
        profile.rules().stream().filter(r -> applies(r, boundingCapabilities)).toList();
    int flags = profile.flags().orElse(SeccompProfile.FLAG_SPEC_ALLOW);
    if (explain) {
      flags |= SeccompProfile.FLAG_LOG;
    }
    if (!profile.listenerPath().isEmpty()) {
      flags |= SeccompProfile.FLAG_NEW_LISTENER;
    }

    Set<String> unknown = new TreeSet<>();
    SeccompPrelude prelude = new SeccompPrelude();
    architectures.forEach((name, token) -> prelude.architecture(name, token));
    byte[] program;
    try (Seccomp.Filter filter = seccomp.newFilter(profile.defaultAction())) {
      filter.attribute(Seccomp.SCMP_FLTATR_CTL_OPTIMIZE, BINARY_TREE);
      if (!architectures.containsKey(nativeName)) {
        filter.removeArch(seccomp.nativeArch());
      }
      architectures.values().forEach(filter::addArch);
      for (Rule rule : rules) {
        for (String name : rule.names()) {
          add(profile, filter, prelude, architectures, rule, name, unknown);
        }
      }
      program = filter.export();
    } catch (KernelException e) {
      throw new JrtException(ErrorKind.INTERNAL, STEP, profile.origin() + ": " + e.getMessage(), e);
    }
    boolean deniesUnknown = !isAllowing(profile.defaultAction());
    return new SeccompFilter(
        profile.origin(),
        prelude.prependTo(program, deniesUnknown),
        flags,
        List.copyOf(unknown),
        profile.listenerPath(),
        profile.listenerMetadata());
  }

  private void add(
      SeccompProfile profile,
      Seccomp.Filter filter,
      SeccompPrelude prelude,
      Map<String, Integer> architectures,
      Rule rule,
      String name,
      Set<String> unknown) {
    OptionalInt number = seccomp.resolve(name);
    boolean known = number.isPresent();
    Map<String, Integer> newNumbers = new HashMap<>();
    architectures.forEach(
        (architecture, token) -> {
          int there = seccomp.resolve(token, name).orElse(-1);
          if (there >= 0) {
            prelude.known(architecture, there);
          } else {
            NewSystemCalls.number(architecture, name)
                .ifPresent(n -> newNumbers.put(architecture, n));
          }
        });
    if (!newNumbers.isEmpty()) {
      if (rule.arguments().isEmpty()) {
        newNumbers.forEach((architecture, n) -> prelude.decide(architecture, n, rule.action()));
        known = true;
      }
      // Conditions on arguments are libseccomp's business; without it the call stays denied.
    }
    if (!known) {
      unknown.add(name);
    }
    if (number.isEmpty() || rule.action() == profile.defaultAction()) {
      return;
    }
    try {
      for (List<Seccomp.Argument> conditions : conditions(rule.arguments())) {
        addOne(filter, rule.action(), number.getAsInt(), conditions);
      }
    } catch (KernelException e) {
      throw new JrtException(
          ErrorKind.INVALID,
          STEP,
          "%s:%d: syscalls[%d]: libseccomp refuses the rule for %s: %s"
              .formatted(profile.origin(), rule.line(), rule.index(), name, e.errno()),
          e);
    }
  }

  private static void addOne(
      Seccomp.Filter filter, int action, int number, List<Seccomp.Argument> conditions) {
    try {
      filter.rule(action, number, conditions);
    } catch (KernelException e) {
      if (e.is(Errno.EEXIST)) {
        return; // the very same rule stands already
      }
      throw e;
    }
  }

  /**
   * Conditions on different arguments must all hold. Several on the same argument cannot stand in
   * one rule of libseccomp; they become a rule each, any of which may hold. So does runc.
   */
  private static List<List<Seccomp.Argument>> conditions(List<Seccomp.Argument> arguments) {
    long distinct = arguments.stream().mapToInt(Seccomp.Argument::index).distinct().count();
    if (distinct == arguments.size()) {
      return List.of(arguments);
    }
    List<List<Seccomp.Argument>> single = new ArrayList<>();
    arguments.forEach(argument -> single.add(List.of(argument)));
    return single;
  }

  /** Names and tokens of the architectures to filter, the native one first if it is among them. */
  private Map<String, Integer> architectures(SeccompProfile profile) {
    List<String> wanted = new ArrayList<>();
    if (!profile.architectures().isEmpty()) {
      wanted.addAll(profile.architectures());
    } else {
      wanted.add(ociName(nativeName));
      for (SeccompProfile.ArchitectureMap map : profile.architectureMap()) {
        if (map.architecture().equals(ociName(nativeName))) {
          wanted.addAll(map.subArchitectures());
        }
      }
    }
    Map<String, Integer> tokens = new LinkedHashMap<>();
    for (String architecture : wanted) {
      String name = libraryName(profile, architecture);
      OptionalInt token = seccomp.resolveArch(name);
      if (token.isEmpty()) {
        throw new JrtException(
            ErrorKind.INVALID,
            STEP,
            "%s: unknown architecture \"%s\"".formatted(profile.origin(), architecture));
      }
      tokens.put(name, token.getAsInt());
    }
    return tokens;
  }

  private static String ociName(String libraryName) {
    return "SCMP_ARCH_" + libraryName.toUpperCase(Locale.ROOT);
  }

  private static String libraryName(SeccompProfile profile, String ociName) {
    String prefix = "SCMP_ARCH_";
    if (!ociName.startsWith(prefix)) {
      throw new JrtException(
          ErrorKind.INVALID,
          STEP,
          "%s: unknown architecture \"%s\"".formatted(profile.origin(), ociName));
    }
    return ociName.substring(prefix.length()).toLowerCase(Locale.ROOT);
  }

  private static String nativeName(Seccomp seccomp) {
    int token = seccomp.nativeArch();
    for (String name : NATIVE_CANDIDATES) {
      OptionalInt candidate = seccomp.resolveArch(name);
      if (candidate.isPresent() && candidate.getAsInt() == token) {
        return name;
      }
    }
    throw new JrtException(
        ErrorKind.UNIMPLEMENTED,
        STEP,
        "libseccomp's native architecture 0x%x is not known".formatted(token));
  }

  private boolean applies(Rule rule, long capabilities) {
    Condition includes = rule.includes();
    Condition excludes = rule.excludes();
    String here = GO_NAMES.getOrDefault(nativeName, nativeName);
    if (!includes.architectures().isEmpty() && !includes.architectures().contains(here)) {
      return false;
    }
    if (excludes.architectures().contains(here)) {
      return false;
    }
    if (!includes.capabilities().stream().allMatch(c -> holds(capabilities, c))
        || excludes.capabilities().stream().anyMatch(c -> holds(capabilities, c))) {
      return false;
    }
    if (!includes.minKernel().isEmpty() && !kernel.isAtLeast(includes.minKernel())) {
      return false;
    }
    return excludes.minKernel().isEmpty() || !kernel.isAtLeast(excludes.minKernel());
  }

  private static boolean holds(long capabilities, String name) {
    return Capability.named(name).map(c -> (capabilities & c.bit()) != 0).orElse(false);
  }

  /** Whether calls that no rule names go through, as of old or with somebody's help. */
  private static boolean isAllowing(int action) {
    return action == Seccomp.SCMP_ACT_ALLOW
        || action == Seccomp.SCMP_ACT_LOG
        || SeccompProfile.isTrace(action);
  }
}
