package io.jrt.it;

import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.PodSandboxConfig;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;

/** How fast a pod's bytes come through port-forward, with crictl as the client of each runtime. */
final class ForwardBench {
  private static final long WARM_UP = 64L << 20;
  private static final long BYTES = 512L << 20;
  private static final int TRIES = 200;

  private ForwardBench() {}

  static double megabytesPerSecond(
      String crictl, Path socket, Cri cri, String image, Path directory) throws Exception {
    int port = freePort();
    PodSandboxConfig pod = Cri.pod("forward", NamespaceMode.NODE, directory).build();
    String podId = cri.runPod(pod);
    String[] pours = {"nc", "-ll", "-p", Integer.toString(port), "-e", "cat", "/dev/zero"};
    cri.run(podId, pod, Cri.container("pours", image, pours).build());
    // A connection that is refused there ends crictl.
    read(port, 1);
    Process client =
        new ProcessBuilder(crictl, "-r", "unix://" + socket, "port-forward", podId, ":" + port)
            .redirectErrorStream(true)
            .start();
    try (BufferedReader lines = client.inputReader()) {
      String line = lines.readLine();
      while (line != null && !line.startsWith("Forwarding from 127.0.0.1:")) {
        line = lines.readLine();
      }
      if (line == null) {
        throw new IOException("crictl forwards no port");
      }
      int local = Integer.parseInt(line.replaceFirst(".*127\\.0\\.0\\.1:(\\d+) .*", "$1"));
      read(local, WARM_UP);
      long start = System.nanoTime();
      read(local, BYTES);
      return BYTES / 1e6 / ((System.nanoTime() - start) / 1e9);
    } finally {
      client.destroy();
      client.waitFor();
      cri.removePod(podId);
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket any = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return any.getLocalPort();
    }
  }

  /** The listener in the pod comes a moment after its container's start. */
  private static void read(int port, long bytes) throws IOException, InterruptedException {
    for (int tries = 0; ; tries++) {
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
        socket.getInputStream().skipNBytes(bytes);
        return;
      } catch (ConnectException e) {
        if (tries > TRIES) {
          throw e;
        }
        Thread.sleep(50);
      }
    }
  }
}
