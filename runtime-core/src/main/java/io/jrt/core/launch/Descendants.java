package io.jrt.core.launch;

import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import io.jrt.linux.Signals;
import io.jrt.linux.Stat;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What an exec started: the processes of its session and its process group, and all that descend
 * from one of these. One that left the session and lost its parent cannot be told from the
 * container's own; only a cgroup of the exec's own catches that.
 */
final class Descendants {
  private static final int MAX_ROUNDS = 20;

  private final Kernel kernel;
  private final int containerPid;
  private final Records.Identity root;

  Descendants(Kernel kernel, int containerPid, Records.Identity root) {
    this.kernel = kernel;
    this.containerPid = containerPid;
    this.root = root;
  }

  /** Kills in rounds, because what is killed may have forked meanwhile. */
  void killAll() {
    Optional<Stat> namespace = pidNamespace(containerPid);
    Set<Integer> family = new HashSet<>();
    family.add(root.pid());
    Set<Integer> killed = new HashSet<>();
    for (int round = 0; round < MAX_ROUNDS; round++) {
      boolean found = false;
      for (Entry entry : family(family)) {
        family.add(entry.pid);
        if (killed.add(entry.pid)) {
          found = true;
          kill(entry, namespace);
        }
      }
      if (!found) {
        return;
      }
    }
  }

  /** The processes that are or come from one of these, parents first or not. */
  private List<Entry> family(Set<Integer> known) {
    List<Entry> all = processes();
    Set<Integer> pids = new HashSet<>(known);
    List<Entry> members = new ArrayList<>();
    boolean grew = true;
    while (grew) {
      grew = false;
      for (Entry entry : all) {
        boolean member =
            (entry.pid == root.pid() && entry.start == root.start())
                || (entry.pid != root.pid()
                    && entry.start >= root.start()
                    && (entry.session == root.pid()
                        || entry.group == root.pid()
                        || pids.contains(entry.parent)));
        if (member && !members.contains(entry)) {
          members.add(entry);
          pids.add(entry.pid);
          grew = true;
        }
      }
    }
    return members;
  }

  private void kill(Entry entry, Optional<Stat> namespace) {
    try (Fd pidfd = kernel.processes().pidfdOpen(entry.pid)) {
      if (kernel.processes().startTime(entry.pid).orElse(-1) != entry.start) {
        return;
      }
      // A number can belong to a stranger by now; a stranger lives in another pid namespace.
      Optional<Stat> its = pidNamespace(entry.pid);
      if (namespace.isPresent() && its.isPresent() && !its.get().sameFile(namespace.get())) {
        return;
      }
      kernel.processes().pidfdSendSignal(pidfd, Signals.SIGKILL);
    } catch (KernelException e) {
      if (!e.is(Errno.ESRCH)) {
        throw e;
      }
    }
  }

  private Optional<Stat> pidNamespace(int pid) {
    try {
      return Optional.of(kernel.files().fstatat(Fd.CWD, "/proc/" + pid + "/ns/pid", 0));
    } catch (KernelException e) {
      if (e.is(Errno.ENOENT, Errno.ESRCH)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private List<Entry> processes() {
    List<Entry> all = new ArrayList<>();
    try (Fd proc = kernel.files().openDirectory(java.nio.file.Path.of("/proc"))) {
      for (var name : kernel.files().list(proc)) {
        String text = name.name().toString();
        if (!text.isEmpty() && text.chars().allMatch(Character::isDigit)) {
          read(proc, Integer.parseInt(text)).ifPresent(all::add);
        }
      }
    }
    return all;
  }

  private Optional<Entry> read(Fd proc, int pid) {
    try {
      String stat =
          new String(kernel.files().readFile(proc, pid + "/stat"), StandardCharsets.ISO_8859_1);
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      return Optional.of(
          new Entry(
              pid,
              Integer.parseInt(fields[1]),
              Integer.parseInt(fields[2]),
              Integer.parseInt(fields[3]),
              Long.parseLong(fields[19])));
    } catch (KernelException e) {
      if (e.is(Errno.ENOENT, Errno.ESRCH)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** One line of /proc. */
  private record Entry(int pid, int parent, int group, int session, long start) {}
}
