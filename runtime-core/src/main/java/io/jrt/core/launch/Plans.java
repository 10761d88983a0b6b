package io.jrt.core.launch;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Fd;
import io.jrt.linux.FileMode;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Turns specs into plans; {@code src/main/c/README.md} has the format. */
final class Plans {
  private static final int MAGIC = 0x5054524a;
  private static final int VERSION = 1;
  private static final int KIND_CONTAINER = 1;
  private static final int KIND_EXEC = 2;

  private static final int CLAMP = 1;
  private static final int READONLY_ROOT = 2;
  private static final int SHARED_ROOT = 4;
  private static final int NO_NEW_PRIVS = 8;
  private static final int TERMINAL = 16;
  private static final int STDIN = 32;
  private static final int POD_INIT = 64;
  private static final int BIND_DEVICES = 128;
  private static final int SET_OOM_SCORE = 256;
  private static final int HOOKS = 512;

  private static final int NAMESPACE_NEW = -1;
  private static final int NAMESPACE_HOST = -2;

  private static final int MOUNT_ATTACH = 1;
  private static final int MOUNT_MAKE = 2;
  private static final int MOUNT_RESTRICT = 3;
  private static final int MOUNT_LINK = 4;

  private Plans() {}

  /**
   * @param directory the keeper's, open
   * @param lock the locked file in it, which the keeper holds from now on
   * @param podInit whether the program is jrt-init itself
   */
  static PlanWriter container(
      LaunchSpec spec,
      LaunchIo io,
      Fd directory,
      Fd lock,
      boolean podInit,
      Optional<RootfsGate> gate) {
    PlanWriter plan = new PlanWriter();
    plan.send(directory);
    plan.send(lock);
    NamespacePlan namespaces = spec.namespaces();
    int flags =
        flags(spec.process(), io, spec.clampUnpermitted())
            | (spec.readonlyRootfs() ? READONLY_ROOT : 0)
            | (spec.sharedRootfs() ? SHARED_ROOT : 0)
            | (podInit ? POD_INIT : 0)
            | (gate.isPresent() ? HOOKS : 0)
            | (namespaces.user() instanceof NamespaceSource.Join ? BIND_DEVICES : 0);
    common(plan, KIND_CONTAINER, flags, io, spec.process(), spec.cgroup());
    for (NamespaceSource source :
        List.of(
            namespaces.user(),
            namespaces.pid(),
            namespaces.network(),
            namespaces.ipc(),
            namespaces.uts(),
            namespaces.cgroup())) {
      switch (source) {
        case NamespaceSource.New() -> plan.u32(NAMESPACE_NEW);
        case NamespaceSource.Host() -> plan.u32(NAMESPACE_HOST);
        case NamespaceSource.Join(Fd namespace) -> plan.fd(namespace);
      }
    }
    plan.fd(spec.rootfs()).text(spec.hostname()).text(spec.domainname());
    gate.ifPresent(hooks -> plan.text(hooks.place().toString()));
    plan.u32(spec.mounts().size());
    spec.mounts().forEach(step -> mount(plan, step));
    plan.u32(spec.devices().size());
    spec.devices().forEach(node -> device(plan, node));
    paths(plan, spec.maskedPaths());
    paths(plan, spec.readonlyPaths());
    // Sorted, so that the number in a failure report means the same here.
    Map<String, String> sysctls = new TreeMap<>(spec.sysctls());
    plan.u32(sysctls.size());
    sysctls.forEach((name, value) -> plan.text(sysctlPath(name)).text(sysctlValue(name, value)));
    process(plan, spec.process());
    gate.ifPresent(hooks -> inside(plan, hooks));
    return plan;
  }

  private static void inside(PlanWriter plan, RootfsGate hooks) {
    plan.text(hooks.state().before()).text(hooks.state().after()).u32(hooks.inside().size());
    for (RootfsGate.Inside hook : hooks.inside()) {
      plan.text(hook.path()).u32(hook.seconds());
      plan.u32(hook.args().size()).u32(hook.environment().size());
      hook.args().forEach(plan::text);
      hook.environment().forEach(plan::text);
    }
  }

  /**
   * @param container pidfd of the container's init
   * @param pid of it
   */
  static PlanWriter exec(ExecSpec spec, LaunchIo io, Fd container, int pid) {
    PlanWriter plan = new PlanWriter();
    int flags = flags(spec.process(), io, spec.clampUnpermitted());
    common(plan, KIND_EXEC, flags, io, spec.process(), spec.cgroup());
    plan.fd(container).u32(pid);
    process(plan, spec.process());
    return plan;
  }

  private static int flags(ProcessSpec process, LaunchIo io, boolean clamp) {
    return (clamp ? CLAMP : 0)
        | (process.noNewPrivileges() ? NO_NEW_PRIVS : 0)
        | (process.oomScoreAdj() != ProcessSpec.LEAVE_OOM_SCORE ? SET_OOM_SCORE : 0)
        | switch (io) {
          case LaunchIo.Terminal terminal -> TERMINAL;
          case LaunchIo.Pipes(boolean stdin) -> stdin ? STDIN : 0;
        };
  }

  private static void common(
      PlanWriter plan,
      int kind,
      int flags,
      LaunchIo io,
      ProcessSpec process,
      CgroupPlacement cgroup) {
    plan.u32(MAGIC).u32(VERSION).u32(kind).u32(flags);
    switch (io) {
      case LaunchIo.Terminal(int rows, int columns) -> plan.u32(rows).u32(columns);
      case LaunchIo.Pipes pipes -> plan.u32(0).u32(0);
    }
    plan.u32(process.oomScoreAdj());
    Fd unified = cgroup.unified();
    if (unified == null) {
      plan.noFd();
    } else {
      plan.fd(unified);
    }
    plan.u32(cgroup.v1Tasks().size());
    cgroup.v1Tasks().forEach(plan::fd);
  }

  private static void mount(PlanWriter plan, MountStep step) {
    checkPath(step.target());
    switch (step) {
      case MountStep.Attach(Fd mount, CString target, boolean directory) ->
          plan.u32(MOUNT_ATTACH).fd(mount).flag(directory).text(target);
      case MountStep.Make(
              String type,
              String source,
              CString target,
              List<String> options,
              long attributes) -> {
        plan.u32(MOUNT_MAKE).text(type).text(source).text(target).u64(attributes);
        plan.u32(options.size());
        for (String option : options) {
          int equals = option.indexOf('=');
          String key = equals < 0 ? option : option.substring(0, equals);
          plan.text(key).flag(equals >= 0).text(equals < 0 ? "" : option.substring(equals + 1));
        }
      }
      case MountStep.Restrict(CString target, long attributes, boolean recursive) ->
          plan.u32(MOUNT_RESTRICT).text(target).u64(attributes).flag(recursive);
      case MountStep.Link(CString target, CString content) ->
          plan.u32(MOUNT_LINK).text(target).text(content);
    }
  }

  private static void device(PlanWriter plan, DeviceNode node) {
    checkPath(node.path());
    int type =
        switch (node.type()) {
          case CHARACTER -> FileMode.S_IFCHR;
          case BLOCK -> FileMode.S_IFBLK;
          case FIFO -> FileMode.S_IFIFO;
        };
    plan.u32(type | (node.mode() & 07777)).u32(node.major()).u32(node.minor());
    plan.u32((int) node.uid()).u32((int) node.gid()).text(node.path()).text(node.hostPath());
  }

  private static void paths(PlanWriter plan, List<CString> paths) {
    paths.forEach(Plans::checkPath);
    plan.texts(paths);
  }

  private static void process(PlanWriter plan, ProcessSpec process) {
    plan.u32(process.rlimits().size());
    for (Rlimit limit : process.rlimits()) {
      plan.u32(limit.resource()).u64(limit.soft()).u64(limit.hard());
    }
    Credentials user = process.user();
    plan.u32((int) user.uid()).u32((int) user.gid()).u32(user.umask());
    plan.u32(user.groups().size());
    user.groups().forEach(group -> plan.u32(group.intValue()));
    Capabilities capabilities = process.capabilities();
    plan.u64(capabilities.bounding())
        .u64(capabilities.effective())
        .u64(capabilities.permitted())
        .u64(capabilities.inheritable())
        .u64(capabilities.ambient());
    byte[] program = process.seccomp().program();
    plan.u32(process.seccomp().flags()).u32(program.length).raw(program);
    plan.text(process.apparmorProfile()).text(process.selinuxLabel());
    if (process.cwd().isEmpty() || process.cwd().bytes()[0] != '/') {
      throw invalid("working directory " + process.cwd() + " is not absolute");
    }
    plan.text(process.cwd());
    plan.u32(process.args().size()).u32(process.env().size());
    process.args().forEach(plan::text);
    process.env().forEach(plan::text);
  }

  private static void checkPath(CString path) {
    String text = path.toString();
    if (!text.startsWith("/")) {
      throw invalid("path " + text + " in the container is not absolute");
    }
    for (String part : text.split("/", -1)) {
      if (part.equals("..") || part.equals(".")) {
        throw invalid("path " + text + " in the container has a part \"" + part + '"');
      }
    }
  }

  /** The file below /proc of a sysctl; a name may separate its parts with dots or with slashes. */
  private static String sysctlPath(String name) {
    int dot = name.indexOf('.');
    int slash = name.indexOf('/');
    boolean slashes = slash >= 0 && (dot < 0 || slash < dot);
    StringBuilder path = new StringBuilder("sys/");
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      path.append(slashes || (c != '.' && c != '/') ? c : c == '.' ? '/' : '.');
    }
    for (String part : path.toString().split("/", -1)) {
      if (part.isEmpty() || part.equals("..") || part.equals(".")) {
        throw invalid("sysctl " + name + " is not a name");
      }
    }
    return path.toString();
  }

  private static String sysctlValue(String name, String value) {
    if (value.indexOf('\n') >= 0 || value.indexOf('\0') >= 0) {
      throw invalid("the value of sysctl " + name + " has more than one line");
    }
    return value;
  }

  private static JrtException invalid(String message) {
    return new JrtException(ErrorKind.INVALID, "start container", message);
  }
}
