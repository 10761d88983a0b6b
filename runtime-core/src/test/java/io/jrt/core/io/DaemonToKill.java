package io.jrt.core.io;

import io.jrt.core.io.ContainerIoSpec.LogTarget;
import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** Logs the pipes 3 and 4 until it is killed, or told to end by a file. */
final class DaemonToKill {
  private DaemonToKill() {}

  public static void main(String[] arguments) throws Exception {
    Path directory = Path.of(arguments[0]);
    IoEngine engine = IoEngine.open(Kernel.open(), directory.resolve("engine"));
    ContainerIoSpec spec =
        new ContainerIoSpec(
            "c1",
            directory.resolve("state"),
            new LogTarget.ToFile(directory.resolve("logs"), "0.log"),
            false);
    ContainerIo io = engine.container(spec, new Stdio.Outputs(Fd.own(3), Fd.own(4)));
    Files.createFile(directory.resolve("started-" + ProcessHandle.current().pid()));
    while (!Files.exists(directory.resolve("end"))) {
      Thread.sleep(10);
    }
    boolean all = io.finish(Duration.ofSeconds(60));
    engine.close();
    Runtime.getRuntime().halt(all ? 0 : 1);
  }
}
