package io.jrt.dist;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Enumeration;
import java.util.Locale;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

/** Copies the licences and notices that a jar carries into a directory. */
public final class Licences {
  private Licences() {}

  public static void main(String[] args) throws IOException {
    if (args.length != 2) {
      throw new IllegalArgumentException("usage: Licences JAR DIRECTORY");
    }
    Path directory = Path.of(args[1]);
    try (JarFile jar = new JarFile(args[0])) {
      Enumeration<JarEntry> entries = jar.entries();
      while (entries.hasMoreElements()) {
        JarEntry entry = entries.nextElement();
        String name = entry.getName();
        String last = name.substring(name.lastIndexOf('/') + 1);
        if (!entry.isDirectory() && isLicence(last.toUpperCase(Locale.ROOT))) {
          Files.createDirectories(directory);
          try (InputStream in = jar.getInputStream(entry)) {
            Files.write(directory.resolve(last), in.readAllBytes());
          }
        }
      }
    }
  }

  private static boolean isLicence(String name) {
    return !name.endsWith(".CLASS")
        && (name.startsWith("LICENSE")
            || name.startsWith("NOTICE")
            || name.startsWith("COPYING")
            || name.startsWith("AL2.0")
            || name.startsWith("LGPL"));
  }
}
