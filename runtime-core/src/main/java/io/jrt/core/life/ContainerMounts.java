package io.jrt.core.life;

import io.jrt.core.ContainerConfig;
import io.jrt.core.IdMapping;
import io.jrt.core.ImageSpec;
import io.jrt.core.MountConfig;
import io.jrt.core.MountPropagation;
import io.jrt.core.TerminalSize;
import io.jrt.core.device.CdiEdits;
import io.jrt.core.device.DeviceInjection;
import io.jrt.core.device.DeviceMounts;
import io.jrt.core.device.LoaderCacheFile;
import io.jrt.core.launch.CString;
import io.jrt.core.launch.LaunchIo;
import io.jrt.core.launch.MountStep;
import io.jrt.core.launch.StandardLayout;
import io.jrt.core.store.Layout;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.ImageTree;
import io.jrt.linux.Fd;
import io.jrt.linux.MountAttributes;
import io.jrt.linux.MountFlags;
import io.jrt.volumes.MountContext;
import io.jrt.volumes.MountRequest;
import io.jrt.volumes.MountSource;
import io.jrt.volumes.PreparedMount;
import io.jrt.volumes.Propagation;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What is mounted in a container: the kernel's file systems, the pod's files, volumes. Everything
 * stands in the order in which it is attached.
 */
final class ContainerMounts {
  private static final long SAFE =
      MountFlags.MOUNT_ATTR_NOSUID | MountFlags.MOUNT_ATTR_NODEV | MountFlags.MOUNT_ATTR_NOEXEC;
  private static final CString SYS = CString.of("/sys");
  private static final List<String> OPTIONS =
      List.of("ro", "rw", "noexec", "exec", "nodev", "dev", "nosuid", "suid");

  private static final TerminalSize USUAL_SIZE = new TerminalSize(80, 24);

  private final Wiring wiring;

  ContainerMounts(Wiring wiring) {
    this.wiring = wiring;
  }

  /** What can be said against the request before anything is made. */
  void check(ContainerConfig config) {
    for (MountConfig mount : config.mounts()) {
      if (!mount.containerPath().startsWith("/")) {
        throw invalid("mount destination \"%s\" is not absolute".formatted(mount.containerPath()));
      }
      if (mount.image().isPresent() != mount.hostPath().isEmpty()) {
        throw invalid(
            "the mount on %s needs either a host path or an image"
                .formatted(mount.containerPath()));
      }
      if (mount.image().isPresent() && !mount.readonly()) {
        throw invalid(
            "the mount on %s is of an image, and images can be mounted read-only alone"
                .formatted(mount.containerPath()));
      }
      if (mount.image().isEmpty()
          && !mount.hostPath().startsWith("/")
          && wiring.volumes().named().find(mount.hostPath()).isEmpty()) {
        throw invalid(
            "mount source \"%s\" is neither absolute nor a named volume"
                .formatted(mount.hostPath()));
      }
      if (mount.recursiveReadOnly()
          && (!mount.readonly() || mount.propagation() != MountPropagation.PRIVATE)) {
        throw invalid(
            "RROUnsupported: the mount on %s is to be recursively read-only, but not read-only and private"
                .formatted(mount.containerPath()));
      }
      if (mount.recursiveReadOnly() && !wiring.volumes().features().recursiveReadOnly()) {
        throw new JrtException(
            ErrorKind.UNIMPLEMENTED,
            "check request",
            "RROUnsupported: this kernel cannot make the mount on %s recursively read-only"
                .formatted(mount.containerPath()),
            "it takes mount_setattr, Linux 5.12",
            null);
      }
      for (String option : mount.options()) {
        if (!OPTIONS.contains(option)) {
          throw invalid(
              "mount option \"%s\" on %s is not known".formatted(option, mount.containerPath()));
        }
      }
    }
  }

  /**
   * The ids of the images that are mounted, by path. Each is mounted once to nowhere, so that a
   * path that is not in the image is told at creation.
   */
  Map<String, String> imageVolumes(ContainerConfig config) {
    Map<String, String> ids = new HashMap<>();
    for (MountConfig mount : config.mounts()) {
      if (mount.image().isEmpty()) {
        continue;
      }
      ImageSpec image = mount.image().get();
      try (ImageTree tree = wiring.images().imageTree(reference(image))) {
        var source = new MountSource.Image(image.image(), tree.lowerDirs(), mount.imageSubPath());
        wiring
            .volumes()
            .prepare(
                List.of(MountRequest.of(source, mount.containerPath())), MountContext.of("check"))
            .forEach(PreparedMount::close);
        ids.put(mount.containerPath(), tree.imageId());
      }
    }
    return ids;
  }

  /** Counts the container as a user of the named volumes it asks for. */
  void reserveVolumes(String id, ContainerConfig config) {
    for (MountConfig mount : config.mounts()) {
      if (mount.image().isEmpty() && !mount.hostPath().startsWith("/")) {
        wiring.volumes().named().reserve(mount.hostPath(), id);
      }
    }
  }

  private static String reference(ImageSpec image) {
    return image.imageRef().isEmpty() ? image.image() : image.imageRef();
  }

  /** The volumes of a request; layers of images among them are held by the container. */
  List<MountRequest> requests(Container container, Pod pod, DeviceInjection injection) {
    List<MountRequest> requests = new ArrayList<>();
    ContainerConfig config = container.record().config();
    Set<String> taken = new HashSet<>();
    for (MountConfig mount : config.mounts()) {
      taken.add(normal(mount.containerPath()));
      requests.add(
          new MountRequest(
              source(container, mount),
              mount.containerPath(),
              mount.readonly(),
              mount.recursiveReadOnly(),
              propagation(mount),
              mount.selinuxRelabel(),
              isIdMapped(mount),
              mount.options()));
    }
    addDeviceMounts(injection, pod.hasUserNamespace(), requests);
    boolean readonly = config.security().readonlyRootfs();
    Path etc = wiring.layout().etc(pod.id());
    for (String name : List.of("resolv.conf", "hostname", "hosts")) {
      if (!taken.contains("/etc/" + name)) {
        MountRequest request =
            MountRequest.of(new MountSource.HostPath(etc.resolve(name)), "/etc/" + name)
                .relabelled();
        requests.add(readonly ? request.asReadOnly() : request);
      }
    }
    if (!taken.contains("/dev/shm")) {
      Path shm = pod.hostIpc() ? Path.of("/dev/shm") : wiring.layout().shm(pod.id());
      requests.add(
          new MountRequest(
              new MountSource.HostPath(shm),
              "/dev/shm",
              false,
              false,
              Propagation.PRIVATE,
              false,
              false,
              List.of("nosuid", "nodev", "noexec")));
    }
    return requests;
  }

  /** Mounts of devices take the place of others on the same path; all go from the top down. */
  private static void addDeviceMounts(
      DeviceInjection injection, boolean idMapped, List<MountRequest> requests) {
    if (injection.mounts().isEmpty()) {
      return;
    }
    for (CdiEdits.Mount mount : injection.mounts()) {
      String destination = normal(mount.containerPath());
      requests.removeIf(request -> normal(request.destination()).equals(destination));
      requests.add(DeviceMounts.request(mount, idMapped));
    }
    requests.sort(
        Comparator.comparingInt(request -> Path.of(request.destination()).getNameCount()));
  }

  /**
   * Links that devices ask for, and the loader's cache with their libraries.
   *
   * @param imageCache the cache that the root has
   */
  List<MountStep> deviceSteps(
      LaunchPlan plan, Container container, byte[] imageCache, DeviceInjection injection) {
    List<MountStep> steps = new ArrayList<>();
    for (DeviceInjection.Link link : injection.links()) {
      steps.add(link(link.path(), link.target()));
    }
    if (!injection.libraries().isEmpty()) {
      byte[] content = LoaderCacheFile.merge(imageCache, injection.libraries());
      Path file =
          LoaderCacheFile.write(
              Layout.makeDirectory(wiring.layout().devices(container.id())), content);
      ContentLabels.label(wiring.kernel(), file, container.record().labels().mount());
      Fd mount = plan.own(wiring.kernel().mounts().bindClone(file, false));
      wiring
          .kernel()
          .mounts()
          .setAttributes(
              mount,
              MountAttributes.set(
                  MountFlags.MOUNT_ATTR_RDONLY
                      | MountFlags.MOUNT_ATTR_NOSUID
                      | MountFlags.MOUNT_ATTR_NODEV),
              false);
      steps.add(new MountStep.Attach(mount, CString.of("/etc/ld.so.cache"), false));
    }
    return steps;
  }

  private MountSource source(Container container, MountConfig mount) {
    if (mount.image().isEmpty()) {
      return mount.hostPath().startsWith("/")
          ? new MountSource.HostPath(Path.of(mount.hostPath()))
          : new MountSource.Named(mount.hostPath());
    }
    ImageSpec image = mount.image().get();
    String id = container.record().imageVolumes().get(mount.containerPath());
    ImageTree tree = wiring.images().imageTree(id == null ? reference(image) : id);
    container.hold(tree);
    return new MountSource.Image(image.image(), tree.lowerDirs(), mount.imageSubPath());
  }

  private static Propagation propagation(MountConfig mount) {
    return switch (mount.propagation()) {
      case PRIVATE -> Propagation.PRIVATE;
      case HOST_TO_CONTAINER -> Propagation.HOST_TO_CONTAINER;
      case BIDIRECTIONAL -> Propagation.BIDIRECTIONAL;
    };
  }

  private static boolean isIdMapped(MountConfig mount) {
    List<IdMapping> uids = mount.uidMappings();
    return !uids.isEmpty() || !mount.gidMappings().isEmpty();
  }

  /** All steps, from the kernel's file systems to the volumes. */
  List<MountStep> steps(
      LaunchPlan plan,
      Container container,
      Pod pod,
      Map<String, Fd> imageVolumes,
      List<PreparedMount> volumes) {
    ContainerConfig config = container.record().config();
    boolean privileged = config.security().privileged();
    List<MountStep> steps = new ArrayList<>();
    steps.addAll(StandardLayout.mounts(privileged, container.record().labels().mount()));
    if (pod.hostNetwork() && pod.hasUserNamespace()) {
      steps.removeIf(step -> step.target().equals(SYS));
      steps.add(hostSysfs(plan));
    }
    long access = privileged ? 0 : MountFlags.MOUNT_ATTR_RDONLY;
    steps.addAll(controlGroups(access));
    imageVolumes.forEach(
        (path, mount) -> steps.add(new MountStep.Attach(mount, CString.of(path), true)));
    for (PreparedMount volume : volumes) {
      steps.add(
          new MountStep.Attach(
              volume.mount(), CString.of(volume.destination()), volume.directory()));
    }
    return steps;
  }

  /** Who is in a user namespace and not in a network of its own may not mount sysfs anew. */
  private MountStep hostSysfs(LaunchPlan plan) {
    Fd sys = plan.own(wiring.kernel().mounts().bindClone(Path.of("/sys"), true));
    wiring
        .kernel()
        .mounts()
        .setAttributes(sys, MountAttributes.set(SAFE | MountFlags.MOUNT_ATTR_RDONLY), true);
    return new MountStep.Attach(sys, SYS, true);
  }

  private List<MountStep> controlGroups(long access) {
    List<MountStep> steps = new ArrayList<>();
    if (wiring.cgroups().version() == 2) {
      steps.add(make("cgroup2", "/sys/fs/cgroup", SAFE | access));
      return steps;
    }
    steps.add(make("tmpfs", "/sys/fs/cgroup", SAFE, "mode=755"));
    for (ControlGroups.Hierarchy hierarchy : wiring.cgroups().hierarchies()) {
      String name = hierarchy.directory();
      String[] options = hierarchy.options().toArray(String[]::new);
      steps.add(make("cgroup", "/sys/fs/cgroup/" + name, SAFE | access, options));
      if (name.indexOf(',') > 0) {
        for (String controller : name.split(",")) {
          steps.add(link("/sys/fs/cgroup/" + controller, name));
        }
      }
    }
    if (access != 0) {
      steps.add(new MountStep.Restrict(CString.of("/sys/fs/cgroup"), access, false));
    }
    return steps;
  }

  /**
   * Paths that the image declares as volumes stay writable in a read-only root: each is attached
   * onto itself from the writable mount of the root, and so keeps the image's content.
   */
  static List<String> imageVolumes(Container container, List<PreparedMount> volumes) {
    if (!container.record().config().security().readonlyRootfs()) {
      return List.of();
    }
    Set<String> taken = new HashSet<>();
    volumes.forEach(volume -> taken.add(normal(volume.destination())));
    List<String> paths = new ArrayList<>();
    for (String path : container.record().process().volumes()) {
      String destination = normal(path);
      if (!destination.equals("/") && taken.add(destination)) {
        paths.add(destination);
      }
    }
    return paths;
  }

  private static String normal(String path) {
    return Path.of(path).normalize().toString();
  }

  private static MountStep make(String type, String target, long attributes, String... options) {
    return new MountStep.Make(type, type, CString.of(target), List.of(options), attributes);
  }

  private static MountStep link(String target, String content) {
    return new MountStep.Link(CString.of(target), CString.of(content));
  }

  private static JrtException invalid(String message) {
    return new JrtException(ErrorKind.INVALID, "check request", message);
  }

  /** What the container's first process has as its standard streams. */
  static LaunchIo streams(Container container) {
    ContainerConfig config = container.record().config();
    TerminalSize size =
        container
            .earlyClients()
            .terminalSize()
            .filter(known -> known.rows() > 0 && known.columns() > 0)
            .orElse(USUAL_SIZE);
    return config.tty()
        ? new LaunchIo.Terminal(size.rows(), size.columns())
        : new LaunchIo.Pipes(config.stdin());
  }
}
