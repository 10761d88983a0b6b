package io.jrt.cli;

import io.jrt.admin.v1.CreateVolumeRequest;
import io.jrt.admin.v1.CreateVolumeResponse;
import io.jrt.admin.v1.InfoRequest;
import io.jrt.admin.v1.InfoResponse;
import io.jrt.admin.v1.InspectVolumeRequest;
import io.jrt.admin.v1.InspectVolumeResponse;
import io.jrt.cli.rpc.RpcException;
import io.jrt.cri.v1.ContainerConfig;
import io.jrt.cri.v1.ContainerStatus;
import io.jrt.cri.v1.CreateContainerRequest;
import io.jrt.cri.v1.CreateContainerResponse;
import io.jrt.cri.v1.ImageSpec;
import io.jrt.cri.v1.ImageStatusRequest;
import io.jrt.cri.v1.ImageStatusResponse;
import io.jrt.cri.v1.PodSandboxConfig;
import io.jrt.cri.v1.RunPodSandboxRequest;
import io.jrt.cri.v1.RunPodSandboxResponse;
import io.jrt.cri.v1.StartContainerRequest;
import io.jrt.cri.v1.StartContainerResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * {@code jrt run}: pulls if needed, makes a pod around one container, joins its output, and ends
 * with its exit code. The pod carries a label by which {@code jrt rm} knows it as the container's
 * own.
 */
final class RunCommand implements Command {
  static final String LABEL = "io.jrt.made-by";
  static final String OWNER = "jrt-run";

  /** What a start that failed ends with, as docker and podman have it. */
  private static final int START_FAILED = 125;

  private static final int CANNOT_RUN = 126;
  private static final int NOT_FOUND = 127;

  @Override
  public Spec spec() {
    return new Spec(
        "run",
        "IMAGE [COMMAND [ARGUMENT…]]",
        "run a container",
        true,
        RunFlags.FLAGS,
        List.of("run --rm localhost/jrt-busybox echo hello", "run -d --name web -p 8080:80 nginx"));
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    boolean input = arguments.has("interactive");
    boolean tty = arguments.has("tty");
    boolean detach = arguments.has("detach");
    if (!detach) {
      Interactive.requireTerminal(input, tty);
    }
    Made made = make(arguments, session);
    boolean keep = false;
    try {
      if (detach) {
        start(session, made.container());
        session.out().println(made.container());
        keep = true;
        return 0;
      }
      OptionalInt ended = join(session, made.container(), input, tty);
      keep = ended.isEmpty() || !arguments.has("rm");
      if (ended.isEmpty()) {
        session.err().println("left " + made.name() + " running; jrt attach " + made.name());
      }
      return ended.orElse(Interactive.DETACHED);
    } catch (RpcException e) {
      session.out().flush();
      session.err().println("jrt: " + Words.oneLine(String.valueOf(e.getMessage())));
      int code = AttachCommand.status(session, made.container()).getExitCode();
      return code == CANNOT_RUN || code == NOT_FOUND ? code : START_FAILED;
    } finally {
      if (!keep) {
        RmCommand.removePod(session.daemon(), made.pod());
      }
    }
  }

  /** What was made for one container. */
  record Made(String name, String pod, String container) {}

  /** Pulls if needed, and makes a pod with a container that does not run yet. */
  static Made make(Arguments arguments, Session session) throws IOException {
    if (arguments.rest().isEmpty()) {
      throw new UsageException("which image?");
    }
    String image = arguments.rest().getFirst();
    List<String> command = arguments.rest().subList(1, arguments.rest().size());
    String uid = UUID.randomUUID().toString();
    String name = arguments.value("name").orElseGet(() -> name(image));
    if (!name.matches("[a-zA-Z0-9][a-zA-Z0-9_.-]*")) {
      throw new UsageException("--name " + name + " is not of letters, digits, _, . and -");
    }
    RunFlags flags = new RunFlags(arguments, name);
    InfoResponse info =
        session.daemon().admin("Info", InfoRequest.getDefaultInstance(), InfoResponse.parser());
    PodSandboxConfig pod = flags.pod(uid, Path.of(info.getRoot(), "logs", name + "_" + uid));
    ContainerConfig container =
        flags.container(
            image, command, volume -> volume(session, volume), gpu -> GpuNames.of(session, gpu));
    if (Objects.of(session.daemon()).containers().stream()
        .anyMatch(other -> Objects.name(other).equals(name))) {
      throw new UsageException(
          "there is a container " + name + " already: jrt rm it, or choose another --name");
    }
    image(arguments, session, image);
    String podId =
        session
            .daemon()
            .runtime(
                "RunPodSandbox",
                RunPodSandboxRequest.newBuilder().setConfig(pod).build(),
                RunPodSandboxResponse.parser())
            .getPodSandboxId();
    boolean done = false;
    try {
      String id =
          session
              .daemon()
              .runtime(
                  "CreateContainer",
                  CreateContainerRequest.newBuilder()
                      .setPodSandboxId(podId)
                      .setConfig(container)
                      .setSandboxConfig(pod)
                      .build(),
                  CreateContainerResponse.parser())
              .getContainerId();
      done = true;
      return new Made(name, podId, id);
    } finally {
      if (!done) {
        RmCommand.removePod(session.daemon(), podId);
      }
    }
  }

  static void start(Session session, String id) throws IOException {
    session
        .daemon()
        .runtime(
            "StartContainer",
            StartContainerRequest.newBuilder().setContainerId(id).build(),
            StartContainerResponse.parser());
  }

  /** Attaches, starts the container, and stays until it ends. */
  static OptionalInt join(Session session, String id, boolean input, boolean tty)
      throws IOException {
    AtomicBoolean ended = new AtomicBoolean();
    Thread stop = new Thread(() -> stop(session, id, ended), "stop");
    if (!tty) {
      Runtime.getRuntime().addShutdownHook(stop);
    }
    try {
      OptionalInt code = AttachCommand.attach(session, id, input, tty, () -> start(session, id));
      if (code.isPresent()) {
        tellWhy(session, id);
      }
      return code;
    } finally {
      ended.set(true);
    }
  }

  private static void tellWhy(Session session, String id) throws IOException {
    ContainerStatus status = AttachCommand.status(session, id);
    switch (status.getReason()) {
      case "", "Completed", "Error" -> {
        // the exit code says it all
      }
      default -> session.err().println("jrt: " + status.getReason() + ": " + status.getMessage());
    }
  }

  /** A person's ctrl-c stops the container. */
  private static void stop(Session session, String id, AtomicBoolean ended) {
    if (ended.get()) {
      return;
    }
    try {
      StopCommand.stop(session.daemon(), id, 10);
    } catch (IOException e) {
      session.err().println("jrt: the container could not be stopped: " + e.getMessage());
    }
  }

  private static void image(Arguments arguments, Session session, String image) throws IOException {
    String when = arguments.value("pull").orElse("missing");
    boolean pull =
        switch (when) {
          case "always" -> true;
          case "missing", "never" ->
              !session
                  .daemon()
                  .images(
                      "ImageStatus",
                      ImageStatusRequest.newBuilder()
                          .setImage(ImageSpec.newBuilder().setImage(image))
                          .build(),
                      ImageStatusResponse.parser())
                  .hasImage();
          default -> throw new UsageException("--pull " + when + ": missing, always or never");
        };
    if (pull && when.equals("never")) {
      throw new UsageException("no image " + image + " here, and --pull never forbids to fetch it");
    }
    if (pull) {
      PullCommand.pull(session, image, arguments.value("creds"), "", arguments.has("quiet"));
    }
  }

  /** The volume's name; it is made if there is none. */
  private static String volume(Session session, String name) {
    try {
      session
          .daemon()
          .admin(
              "InspectVolume",
              InspectVolumeRequest.newBuilder().setName(name).build(),
              InspectVolumeResponse.parser());
    } catch (RpcException e) {
      if (e.code() != RpcException.Code.NOT_FOUND) {
        throw e;
      }
      makeVolume(session, name);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return name;
  }

  private static void makeVolume(Session session, String name) {
    try {
      session
          .daemon()
          .admin(
              "CreateVolume",
              CreateVolumeRequest.newBuilder().setName(name).build(),
              CreateVolumeResponse.parser());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The image's last word and four hex digits. */
  private static String name(String image) {
    String plain = image.replaceFirst("[@:][^/]*$", "");
    String last = plain.substring(plain.lastIndexOf('/') + 1);
    byte[] random = new byte[2];
    ThreadLocalRandom.current().nextBytes(random);
    return last + "-" + HexFormat.of().formatHex(random);
  }
}
