package io.jrt.cli;

import com.google.protobuf.ByteString;
import io.jrt.admin.v1.ImportImageRequest;
import io.jrt.admin.v1.ImportImageResponse;
import io.jrt.cli.rpc.Call;
import io.jrt.cli.rpc.RpcException;
import io.jrt.cri.v1.Image;
import io.jrt.cri.v1.ListImagesRequest;
import io.jrt.cri.v1.ListImagesResponse;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * {@code jrt migrate containerd}: carries images over. containerd's own {@code ctr} reads its
 * store, one image after the other and straight into the daemon, so that neither the format of that
 * store nor room for a second copy is needed.
 */
final class MigrateCommand implements Command {
  private static final int CHUNK = 1 << 20;

  @Override
  public Spec spec() {
    return Spec.of(
        "migrate containerd",
        "[IMAGE…]",
        "carry images over from containerd, all or these",
        List.of(
            Flag.option(
                "address",
                "SOCKET",
                "containerd's (/run/containerd/containerd.sock), k3s' as well"),
            Flag.option("namespace", "NAME", "containerd's namespace (k8s.io)"),
            Flag.option("ctr", "PROGRAM", "containerd's client (ctr)"),
            Flag.toggle("dry-run", "only tell which would come")),
        "migrate containerd --dry-run");
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    List<String> ctr =
        List.of(
            arguments.value("ctr").orElse("ctr"),
            "--address",
            arguments.value("address").orElse("/run/containerd/containerd.sock"),
            "--namespace",
            arguments.value("namespace").orElse("k8s.io"));
    Set<String> here = here(session);
    List<String> wanted = arguments.rest();
    int failed = 0;
    for (String image : images(ctr)) {
      if (!wanted.isEmpty() && !wanted.contains(image)) {
        continue;
      }
      if (here.contains(image)) {
        session.out().println(image + "  is here");
      } else if (arguments.has("dry-run")) {
        session.out().println(image);
      } else {
        failed += carry(ctr, image, session) ? 0 : 1;
      }
      session.out().flush();
    }
    return failed == 0 ? 0 : 1;
  }

  private static Set<String> here(Session session) throws IOException {
    Set<String> names = new HashSet<>();
    ListImagesResponse answer =
        session
            .daemon()
            .images(
                "ListImages", ListImagesRequest.getDefaultInstance(), ListImagesResponse.parser());
    for (Image image : answer.getImagesList()) {
      names.addAll(image.getRepoTagsList());
      names.addAll(image.getRepoDigestsList());
    }
    return names;
  }

  /** The names of images; containerd also lists each by its id. */
  private static List<String> images(List<String> ctr) throws IOException {
    Process list = start(ctr, "images", "ls", "-q");
    String out = new String(list.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    end(list, "ctr images ls");
    return out.lines().filter(name -> !name.isBlank() && !name.startsWith("sha256:")).toList();
  }

  private static boolean carry(List<String> ctr, String image, Session session) throws IOException {
    Process export = start(ctr, "images", "export", "--platform", platform(), "-", image);
    try (Call call = session.daemon().adminUpload("ImportImage");
        InputStream archive = export.getInputStream()) {
      byte[] buffer = new byte[CHUNK];
      for (int n = archive.readNBytes(buffer, 0, CHUNK);
          n > 0;
          n = archive.readNBytes(buffer, 0, CHUNK)) {
        call.send(
            ImportImageRequest.newBuilder()
                .setChunk(ByteString.copyFrom(buffer, 0, n))
                .build()
                .toByteArray());
      }
      end(export, "ctr images export");
      call.halfClose();
      Daemon.answer(call, ImportImageResponse.parser());
      session.out().println(image + "  carried over");
      return true;
    } catch (RpcException e) {
      session.err().println("jrt: " + image + ": " + Words.oneLine(String.valueOf(e.getMessage())));
      return false;
    } catch (ExportException e) {
      // Layers that containerd has discarded: the image is pulled when a pod asks for it.
      session.err().println("jrt: " + image + ": " + e.getMessage());
      return false;
    } finally {
      export.destroy();
    }
  }

  private static String platform() {
    String machine = System.getProperty("os.arch");
    return "linux/" + (machine.equals("aarch64") ? "arm64" : machine);
  }

  private static Process start(List<String> ctr, String... more) throws IOException {
    List<String> command = new ArrayList<>(ctr);
    command.addAll(List.of(more));
    try {
      // What it says goes to the terminal, beside ours.
      return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    } catch (IOException e) {
      throw new UsageException(
          "containerd's client cannot be run (" + e.getMessage() + "); --ctr names it");
    }
  }

  private static void end(Process process, String what) throws ExportException {
    try {
      int code = process.waitFor();
      if (code != 0) {
        throw new ExportException(what + " ended with " + code);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ExportException("interrupted");
    }
  }

  /** containerd did not give what was asked for. */
  private static final class ExportException extends IOException {
    private static final long serialVersionUID = 1;

    ExportException(String message) {
      super(message);
    }
  }
}
