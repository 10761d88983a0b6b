package io.jrt.security;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * Numbers of system calls that an installed libseccomp may be too old to know.
 *
 * <p>From 424 on, a call has the same number on every architecture that jrt runs on (x32 sets bit
 * 30 besides); a few earlier ones belong to one architecture.
 */
final class NewSystemCalls {
  private static final int X32_BIT = 0x4000_0000;

  private static final Map<String, Integer> COMMON =
      Map.ofEntries(
          Map.entry("pidfd_send_signal", 424),
          Map.entry("io_uring_setup", 425),
          Map.entry("io_uring_enter", 426),
          Map.entry("io_uring_register", 427),
          Map.entry("open_tree", 428),
          Map.entry("move_mount", 429),
          Map.entry("fsopen", 430),
          Map.entry("fsconfig", 431),
          Map.entry("fsmount", 432),
          Map.entry("fspick", 433),
          Map.entry("pidfd_open", 434),
          Map.entry("clone3", 435),
          Map.entry("close_range", 436),
          Map.entry("openat2", 437),
          Map.entry("pidfd_getfd", 438),
          Map.entry("faccessat2", 439),
          Map.entry("process_madvise", 440),
          Map.entry("epoll_pwait2", 441),
          Map.entry("mount_setattr", 442),
          Map.entry("quotactl_fd", 443),
          Map.entry("landlock_create_ruleset", 444),
          Map.entry("landlock_add_rule", 445),
          Map.entry("landlock_restrict_self", 446),
          Map.entry("memfd_secret", 447),
          Map.entry("process_mrelease", 448),
          Map.entry("futex_waitv", 449),
          Map.entry("set_mempolicy_home_node", 450),
          Map.entry("cachestat", 451),
          Map.entry("fchmodat2", 452),
          Map.entry("map_shadow_stack", 453),
          Map.entry("futex_wake", 454),
          Map.entry("futex_wait", 455),
          Map.entry("futex_requeue", 456),
          Map.entry("statmount", 457),
          Map.entry("listmount", 458),
          Map.entry("lsm_get_self_attr", 459),
          Map.entry("lsm_set_self_attr", 460),
          Map.entry("lsm_list_modules", 461),
          Map.entry("mseal", 462),
          Map.entry("setxattrat", 463),
          Map.entry("getxattrat", 464),
          Map.entry("listxattrat", 465),
          Map.entry("removexattrat", 466),
          Map.entry("open_tree_attr", 467),
          Map.entry("file_getattr", 468),
          Map.entry("file_setattr", 469));

  private static final Map<String, Map<String, Integer>> SPECIAL =
      Map.of(
          "x86_64", Map.of("uretprobe", 335, "uprobe", 336),
          "riscv64", Map.of("riscv_hwprobe", 258, "riscv_flush_icache", 259));

  private NewSystemCalls() {}

  /** The number on an architecture by libseccomp's name for it. */
  static OptionalInt number(String architecture, String name) {
    Integer special = SPECIAL.getOrDefault(architecture, Map.of()).get(name);
    if (special != null) {
      return OptionalInt.of(special);
    }
    // The table begins after the numbers of mips parted from the others'.
    Integer common = architecture.startsWith("mips") ? null : COMMON.get(name);
    if (common == null) {
      return OptionalInt.empty();
    }
    return OptionalInt.of(architecture.equals("x32") ? common | X32_BIT : common);
  }

  /** The name of a number on an architecture. */
  static Optional<String> name(String architecture, int number) {
    return Stream.concat(
            SPECIAL.getOrDefault(architecture, Map.of()).keySet().stream(),
            COMMON.keySet().stream())
        .filter(name -> number(architecture, name).orElse(-1) == number)
        .findFirst();
  }
}
