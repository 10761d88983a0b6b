package io.jrt.core.device;

import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What a CDI device changes in a container, as its spec says it.
 *
 * @param environment {@code NAME=value} each
 * @param groups supplementary group ids
 */
public record CdiEdits(
    List<String> environment,
    List<Node> nodes,
    List<NetDevice> netDevices,
    List<Mount> mounts,
    List<Hook> hooks,
    List<Long> groups,
    Optional<IntelRdt> intelRdt) {
  public static final CdiEdits NONE =
      new CdiEdits(
          List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), Optional.empty());

  public CdiEdits {
    environment = List.copyOf(environment);
    nodes = List.copyOf(nodes);
    netDevices = List.copyOf(netDevices);
    mounts = List.copyOf(mounts);
    hooks = List.copyOf(hooks);
    groups = List.copyOf(groups);
  }

  /** Nodes and mounts only. */
  public static CdiEdits of(List<Node> nodes, List<Mount> mounts) {
    return new CdiEdits(
        List.of(), nodes, List.of(), mounts, List.of(), List.of(), Optional.empty());
  }

  /**
   * What is wrong with a path of a node or a container; empty for one that is absolute and plain.
   */
  static Optional<String> fault(String path) {
    if (!path.startsWith("/")) {
      return Optional.of(", which is not absolute");
    }
    if (path.indexOf('\0') >= 0) {
      return Optional.of(" with a NUL");
    }
    for (String part : path.split("/", -1)) {
      if (part.equals("..") || part.equals(".")) {
        return Optional.of(" with dots");
      }
    }
    return Optional.empty();
  }

  /**
   * A device file. What is empty is taken from the node's own file.
   *
   * @param path in the container
   * @param hostPath the node's file; empty for the same path
   * @param type {@code b}, {@code c}, {@code u} or {@code p}; empty to look
   * @param permissions of {@code rwm}; empty for all, {@code none} for none
   */
  public record Node(
      String path,
      String hostPath,
      String type,
      Optional<Long> major,
      Optional<Long> minor,
      Optional<Integer> mode,
      String permissions,
      Optional<Long> uid,
      Optional<Long> gid) {
    static final Set<String> TYPES = Set.of("b", "c", "u", "p");

    /** The node's own file at the same path, to be used in every way. */
    public static Node of(String path) {
      return new Node(
          path,
          "",
          "",
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          "",
          Optional.empty(),
          Optional.empty());
    }

    String source() {
      return hostPath.isEmpty() ? path : hostPath;
    }
  }

  /** A network interface of the node that is moved into the pod under a name. */
  public record NetDevice(String hostName, String name) {}

  /**
   * A mount.
   *
   * @param type empty or {@code bind} for a bind mount
   */
  public record Mount(String hostPath, String containerPath, String type, List<String> options) {
    public Mount {
      options = List.copyOf(options);
    }

    /** A read-only bind mount that gives no rights away. */
    public static Mount readOnly(String hostPath, String containerPath) {
      return new Mount(
          hostPath, containerPath, "", List.of("ro", "nosuid", "nodev", "rbind", "rprivate"));
    }
  }

  /**
   * A program that is run at a moment of the container's life.
   *
   * @param args the first is the program's name
   * @param seconds how long it may take; empty for no limit of its own
   */
  public record Hook(
      Moment moment,
      String path,
      List<String> args,
      List<String> environment,
      Optional<Integer> seconds) {
    public Hook {
      args = List.copyOf(args);
      environment = List.copyOf(environment);
    }

    /** When a hook runs, as the OCI runtime spec names it. */
    public enum Moment {
      PRESTART("prestart"),
      CREATE_RUNTIME("createRuntime"),
      CREATE_CONTAINER("createContainer"),
      START_CONTAINER("startContainer"),
      POSTSTART("poststart"),
      POSTSTOP("poststop");

      private final String word;

      Moment(String word) {
        this.word = word;
      }

      public String word() {
        return word;
      }

      static Optional<Moment> of(String word) {
        for (Moment moment : values()) {
          if (moment.word.equals(word)) {
            return Optional.of(moment);
          }
        }
        return Optional.empty();
      }
    }
  }

  /** A class of cache and memory bandwidth. */
  public record IntelRdt(
      String closId,
      String l3CacheSchema,
      String memBwSchema,
      List<String> schemata,
      boolean enableMonitoring) {
    public IntelRdt {
      schemata = List.copyOf(schemata);
    }
  }
}
