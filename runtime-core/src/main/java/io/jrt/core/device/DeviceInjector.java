package io.jrt.core.device;

import io.jrt.core.ContainerConfig;
import io.jrt.core.DeviceConfig;
import io.jrt.core.EnvVar;
import io.jrt.core.device.CdiEdits.Hook;
import io.jrt.core.device.CdiEdits.Mount;
import io.jrt.core.device.CdiEdits.NetDevice;
import io.jrt.core.device.CdiEdits.Node;
import io.jrt.core.device.DeviceInjection.Library;
import io.jrt.core.device.DeviceInjection.Link;
import io.jrt.core.device.DeviceInjection.OriginHook;
import io.jrt.core.device.DeviceInjection.OriginNetDevice;
import io.jrt.core.device.DeviceInjection.OriginRdt;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.At;
import io.jrt.linux.DeviceNumber;
import io.jrt.linux.Fd;
import io.jrt.linux.Files;
import io.jrt.linux.Stat;
import io.jrt.security.DeviceNode;
import io.jrt.security.DeviceRule;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** Decides what the CDI devices of a container change in it. */
public final class DeviceInjector {
  private static final String STEP = "inject cdi devices";
  private static final String ANNOTATION = "cdi.k8s.io/";
  private static final String VISIBLE = "NVIDIA_VISIBLE_DEVICES";
  private static final String NVIDIA = "nvidia.com/gpu";
  private static final Pattern LIBRARY = Pattern.compile("lib[^/]*\\.so(\\.[^/]*)?");
  private static final Set<String> NVIDIA_HOOKS =
      Set.of("nvidia-cdi-hook", "nvidia-ctk", "nvidia-container-toolkit.nvidia-cdi-hook");

  private final Files files;
  private final CdiRegistry registry;
  private final DeviceSettings settings;

  public DeviceInjector(Files files, CdiRegistry registry, DeviceSettings settings) {
    this.files = files;
    this.registry = registry;
    this.settings = settings;
  }

  /**
   * The full names of the devices a container is to have, each once, in order.
   *
   * @param environment of its process: what the request sets and what the image does
   */
  public List<String> names(ContainerConfig config, List<EnvVar> environment) {
    Set<String> names = new LinkedHashSet<>(config.cdiDevices());
    new TreeMap<>(config.annotations())
        .forEach(
            (key, value) -> {
              if (key.startsWith(ANNOTATION)) {
                for (String name : value.split(",", -1)) {
                  names.add(name.strip());
                }
              }
            });
    // Who names devices in full has said it all; the variable is then for programs to read.
    if (names.isEmpty()) {
      names.addAll(visible(config, environment));
    }
    return List.copyOf(names);
  }

  private List<String> visible(ContainerConfig config, List<EnvVar> environment) {
    List<EnvVar> trusted =
        switch (settings.visibleDevices()) {
          case NEVER -> List.of();
          case POD -> config.environment();
          case IMAGE -> environment;
        };
    List<String> asked =
        trusted.stream()
            .filter(variable -> variable.name().equals(VISIBLE))
            .reduce((_, last) -> last)
            .map(variable -> visible(variable.value().text()))
            .orElse(List.of());
    // On a node without GPUs the variable has nobody to speak to, as with other runtimes.
    return asked.isEmpty() || registry.hasKind(NVIDIA) ? asked : List.of();
  }

  /** The files on the node of a container's devices; what is gone by now is left out. */
  public Set<String> nodes(List<DeviceConfig> devices, List<String> names) {
    Set<String> nodes = new LinkedHashSet<>();
    devices.forEach(device -> nodes.add(device.hostPath()));
    if (!names.isEmpty()) {
      Map<String, CdiRegistry.Found> known = registry.contents().devices();
      for (String name : names) {
        CdiRegistry.Found found = known.get(name);
        if (found != null) {
          found.device().edits().nodes().forEach(node -> nodes.add(node.source()));
        }
      }
    }
    return nodes;
  }

  private static List<String> visible(String value) {
    return Arrays.stream(value.split(",", -1))
        .map(String::strip)
        .filter(each -> !each.isEmpty() && !each.equals("none") && !each.equals("void"))
        .map(each -> each.contains("=") ? each : NVIDIA + "=" + each)
        .toList();
  }

  /**
   * Finds the devices and puts together what they change.
   *
   * @param uid of the container's process; nodes that do not say belong to it
   * @param gid of the container's process
   * @throws JrtException NOT_FOUND for devices no spec has, UNIMPLEMENTED for what jrt cannot do;
   *     the message names the spec and the device
   */
  public DeviceInjection inject(List<String> names, long uid, long gid) {
    return inject(names, List.of(), uid, gid);
  }

  /** The same, with what plugins want changed over what the devices change. */
  public DeviceInjection inject(List<String> names, List<PluginEdits> plugins, long uid, long gid) {
    List<CdiRegistry.Found> found = registry.find(names);
    if (found.isEmpty() && plugins.isEmpty()) {
      return DeviceInjection.NONE;
    }
    Collector collector = new Collector(uid, gid);
    Set<CdiSpec> met = new HashSet<>();
    for (CdiRegistry.Found each : found) {
      Origin origin = new Origin("cdi device " + each.name(), each.spec().origin());
      if (met.add(each.spec())) {
        collector.add(each.spec().edits(), origin);
      }
      collector.add(each.device().edits(), origin);
    }
    for (PluginEdits each : plugins) {
      collector.add(each.edits(), new Origin(each.plugin(), "nri"));
    }
    return collector.injection();
  }

  /** Who asks for edits, as errors name it: a device and its spec, or a plugin. */
  private record Origin(String who, String source) {
    @Override
    public String toString() {
      return who + " (" + source + ")";
    }
  }

  /** Puts edits together, the later ones over the earlier ones of the same path or name. */
  private final class Collector {
    private final long uid;
    private final long gid;
    private final Map<String, String> environment = new LinkedHashMap<>();
    private final Set<Long> groups = new LinkedHashSet<>();
    private final Map<String, DeviceNode> nodes = new LinkedHashMap<>();
    private final List<DeviceRule> rules = new ArrayList<>();
    private final Map<String, Mount> mounts = new LinkedHashMap<>();
    private final Map<String, String> links = new LinkedHashMap<>();
    private final List<OriginHook> hooks = new ArrayList<>();
    private final Map<String, Library> libraries = new LinkedHashMap<>();
    private final Map<String, OriginNetDevice> netDevices = new LinkedHashMap<>();
    private Optional<OriginRdt> intelRdt = Optional.empty();

    private Collector(long uid, long gid) {
      this.uid = uid;
      this.gid = gid;
    }

    private void add(CdiEdits edits, Origin origin) {
      for (String variable : edits.environment()) {
        environment.put(variable.substring(0, variable.indexOf('=')), variable);
      }
      groups.addAll(edits.groups());
      edits.nodes().forEach(node -> add(node, origin));
      for (Mount mount : edits.mounts()) {
        check(mount, origin);
        mounts.remove(mount.containerPath());
        mounts.put(mount.containerPath(), mount);
        addLibrary(mount);
      }
      edits.hooks().forEach(hook -> add(hook, origin));
      edits
          .intelRdt()
          .ifPresent(rdt -> intelRdt = Optional.of(new OriginRdt(rdt, origin.toString())));
      for (NetDevice each : edits.netDevices()) {
        netDevices.put(each.name(), new OriginNetDevice(each, origin.toString()));
      }
    }

    /** What a plugin says was read by nobody before. */
    private void check(Node node, Origin origin) {
      path(origin, "device path", node.path());
      path(origin, "device path on the node", node.source());
      if (!node.type().isEmpty() && !Node.TYPES.contains(node.type())) {
        throw invalid(
            origin, "device %s of the unknown type \"%s\"".formatted(node.path(), node.type()));
      }
      for (Optional<Long> number : List.of(node.major(), node.minor())) {
        if (number.isPresent() && (number.get() < 0 || number.get() > 0xffff_ffffL)) {
          throw invalid(origin, "device %s of number %d".formatted(node.path(), number.get()));
        }
      }
    }

    private void add(Node node, Origin origin) {
      check(node, origin);
      Optional<Stat> stat =
          files.statIfPresent(
              Fd.CWD, node.source().getBytes(StandardCharsets.UTF_8), At.AT_SYMLINK_NOFOLLOW);
      char type = type(node, stat, origin);
      boolean numbered = node.major().isPresent() && node.minor().isPresent();
      long major = node.major().orElse(0L);
      long minor = node.minor().orElse(0L);
      if (!numbered && type != 'p') {
        long number = stat.map(Stat::rdev).orElseThrow(() -> missing(node, origin));
        major = node.major().orElse(Integer.toUnsignedLong(DeviceNumber.major(number)));
        minor = node.minor().orElse(Integer.toUnsignedLong(DeviceNumber.minor(number)));
      }
      nodes.put(
          node.path(),
          new DeviceNode(
              node.path(),
              Path.of(node.source()),
              type,
              major,
              minor,
              node.mode().or(() -> stat.map(Stat::permissions)).orElse(0666),
              node.uid().orElse(uid > 0 ? uid : stat.map(s -> unsigned(s.uid())).orElse(0L)),
              node.gid().orElse(gid > 0 ? gid : stat.map(s -> unsigned(s.gid())).orElse(0L))));
      if (type != 'p' && !node.permissions().equals("none")) {
        String access = node.permissions().isEmpty() ? "rwm" : node.permissions();
        rules.add(new DeviceRule(true, type, major, minor, access));
      }
    }

    private char type(Node node, Optional<Stat> stat, Origin origin) {
      char actual =
          stat.map(
                  s ->
                      switch (s.type()) {
                        case CHARACTER_DEVICE -> 'c';
                        case BLOCK_DEVICE -> 'b';
                        case FIFO -> 'p';
                        default -> '?';
                      })
              .orElse('?');
      if (node.type().isEmpty()) {
        if (stat.isEmpty()) {
          throw missing(node, origin);
        }
        if (actual == '?') {
          throw new JrtException(
              ErrorKind.INVALID, STEP, "%s of %s is not a device".formatted(node.source(), origin));
        }
        return actual;
      }
      char wanted = node.type().equals("u") ? 'c' : node.type().charAt(0);
      boolean needsFile = node.major().isEmpty() || node.minor().isEmpty();
      if (needsFile && wanted != 'p' && stat.isPresent() && wanted != actual) {
        throw new JrtException(
            ErrorKind.INVALID,
            STEP,
            "%s of %s is not of type %s".formatted(node.source(), origin, node.type()));
      }
      return wanted;
    }

    private void check(Mount mount, Origin origin) {
      path(origin, "mount destination", mount.containerPath());
      boolean known =
          mount.type().isEmpty() || mount.type().equals("bind") || mount.type().equals("tmpfs");
      if (!known && !mount.options().contains("bind") && !mount.options().contains("rbind")) {
        throw unimplemented(
            origin,
            "a mount of type %s on %s, which jrt does not make"
                .formatted(mount.type(), mount.containerPath()));
      }
      if (!mount.type().equals("tmpfs")) {
        path(origin, "mount source", mount.hostPath());
      }
      try {
        DeviceMounts.request(mount, false);
      } catch (IllegalArgumentException e) {
        throw invalid(origin, "a mount on %s: %s".formatted(mount.containerPath(), e.getMessage()));
      }
    }

    private void addLibrary(Mount mount) {
      Path inside = Path.of(mount.containerPath());
      Path name = inside.getFileName();
      if (name == null || !LIBRARY.matcher(name.toString()).matches()) {
        return;
      }
      Path file = Path.of(mount.hostPath());
      if (!java.nio.file.Files.isRegularFile(file)) {
        return;
      }
      try {
        Optional<ElfFile> elf = ElfFile.read(file);
        if (elf.isPresent()) {
          int machine = elf.get().machine();
          for (String each : List.of(elf.get().soname(), name.toString())) {
            libraries.putIfAbsent(each, new Library(each, inside.toString(), machine));
          }
        }
      } catch (IOException e) {
        throw new JrtException(
            ErrorKind.FAILED_PRECONDITION, STEP, "library %s: %s".formatted(file, e), e);
      }
    }

    private void add(Hook hook, Origin origin) {
      path(origin, "%s hook".formatted(hook.moment().word()), hook.path());
      if (hook.seconds().isPresent() && hook.seconds().get() <= 0) {
        throw invalid(
            origin, "hook %s with a timeout of %d".formatted(hook.path(), hook.seconds().get()));
      }
      String program = String.valueOf(Path.of(hook.path()).getFileName());
      String action = NVIDIA_HOOKS.contains(program) ? action(hook) : "";
      switch (action) {
        case "create-symlinks" -> links(hook, origin);
        case "update-ldcache" -> {
          // The loader's cache is always written with every library that is mounted.
        }
        default -> addForeign(hook, origin);
      }
    }

    private void addForeign(Hook hook, Origin origin) {
      // Those of startContainer are files of the container's own.
      if (hook.moment() != Hook.Moment.START_CONTAINER
          && !java.nio.file.Files.isExecutable(Path.of(hook.path()))) {
        throw new JrtException(
            ErrorKind.NOT_FOUND,
            STEP,
            "%s needs the %s hook %s, which is not there or not executable"
                .formatted(origin, hook.moment().word(), hook.path()));
      }
      hooks.add(new OriginHook(hook, origin.source()));
    }

    /** The first word after the program's name and "hook". */
    private static String action(Hook hook) {
      return hook.args().stream()
          .skip(1)
          .filter(each -> !each.equals("hook") && !each.startsWith("-"))
          .findFirst()
          .orElse("");
    }

    private void links(Hook hook, Origin origin) {
      List<String> args = hook.args();
      for (int i = 0; i < args.size(); i++) {
        String link = "";
        if (args.get(i).equals("--link") && i + 1 < args.size()) {
          link = args.get(++i);
        } else if (args.get(i).startsWith("--link=")) {
          link = args.get(i).substring("--link=".length());
        }
        if (link.isEmpty()) {
          continue;
        }
        String[] parts = link.split("::", 2);
        if (parts.length < 2 || !parts[1].startsWith("/") || parts[0].isEmpty()) {
          throw new JrtException(
              ErrorKind.INVALID,
              STEP,
              "%s asks for the link \"%s\", which is not TARGET::PATH".formatted(origin, link));
        }
        links.put(parts[1], parts[0]);
      }
    }

    private DeviceInjection injection() {
      return new DeviceInjection(
          List.copyOf(environment.values()),
          List.copyOf(groups),
          List.copyOf(nodes.values()),
          rules,
          List.copyOf(mounts.values()),
          links.entrySet().stream().map(e -> new Link(e.getKey(), e.getValue())).toList(),
          hooks,
          List.copyOf(libraries.values()),
          List.copyOf(netDevices.values()),
          intelRdt);
    }
  }

  private static long unsigned(int id) {
    return Integer.toUnsignedLong(id);
  }

  private static JrtException missing(Node node, Origin origin) {
    return new JrtException(
        ErrorKind.NOT_FOUND,
        STEP,
        "device file %s of %s does not exist".formatted(node.source(), origin));
  }

  private static void path(Origin origin, String what, String path) {
    CdiEdits.fault(path)
        .ifPresent(
            fault -> {
              throw invalid(origin, "the %s \"%s\"%s".formatted(what, path, fault));
            });
  }

  private static JrtException invalid(Origin origin, String what) {
    return new JrtException(ErrorKind.INVALID, STEP, "%s asks for %s".formatted(origin, what));
  }

  private static JrtException unimplemented(Origin origin, String what) {
    return new JrtException(ErrorKind.UNIMPLEMENTED, STEP, "%s has %s".formatted(origin, what));
  }
}
