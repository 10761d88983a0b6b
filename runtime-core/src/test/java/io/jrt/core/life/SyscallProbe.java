package io.jrt.core.life;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A static program that makes each of some system calls with nothing but wrong arguments and prints
 * the name and the error: a call that got past the filter fails with another one than the filter's.
 */
final class SyscallProbe {
  private SyscallProbe() {}

  static Path build(Path directory, List<String> calls) throws IOException, InterruptedException {
    String body =
        calls.stream()
            .map(call -> "  probe(\"%s\", SYS_%s);".formatted(call, call))
            .collect(Collectors.joining("\n"));
    Path source =
        Files.writeString(
            directory.resolve("probe.c"),
            """
            #define _GNU_SOURCE
            #include <errno.h>
            #include <stdio.h>
            #include <sys/syscall.h>
            #include <unistd.h>

            static void probe(const char *name, long number) {
              errno = 0;
              long result = syscall(number, -1L, -1L, -1L, -1L, -1L, -1L);
              printf("%s %s\\n", name,
                     result != -1 ? "OK" : errno == EPERM ? "EPERM" : errno == ENOSYS ? "ENOSYS" : "other");
            }

            int main(void) {
            """
                + body
                + "\n  return fflush(stdout);\n}\n");
    Path program = directory.resolve("probe");
    Process compiler =
        new ProcessBuilder("gcc", "-static", "-O1", "-o", program.toString(), source.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (compiler.waitFor() != 0) {
      throw new IOException(said);
    }
    return program;
  }
}
