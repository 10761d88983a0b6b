package io.jrt.core.launch;

import java.nio.file.Path;
import java.time.Duration;

/**
 * The main class of a process that starts a container, says so, and waits to be killed: a daemon
 * that dies. Arguments: rootfs, keeper directory, "pipes" or "terminal", the script.
 */
final class DaemonStandIn {
  private DaemonStandIn() {}

  public static void main(String[] args) throws Exception {
    LaunchFixture fixture = new LaunchFixture();
    LaunchFixture.Request request =
        new LaunchFixture.Request(Path.of(args[0]), LaunchFixture.shell(args[3]));
    request.io =
        args[2].equals("terminal") ? new LaunchIo.Terminal(30, 99) : new LaunchIo.Pipes(true);
    LiveContainer container = fixture.start(request, Path.of(args[1]));
    LaunchFixture.deleteTree(fixture.directory); // nobody else will
    System.out.println("started " + container.pid());
    System.out.flush();
    Thread.sleep(Duration.ofMinutes(1));
  }
}
