package io.jrt.dist;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.Locale;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;

/**
 * Prepares the directory of jars: native code for this machine moves out of the jars into {@code
 * native/}, so that nothing is unpacked into {@code /tmp} at run time; native code for others goes;
 * {@code jrtd.jar} names the jars in a fixed order, which the start-up cache depends on.
 */
public final class Libraries {
  private static final String ARCHITECTURE = System.getProperty("os.arch");

  private Libraries() {}

  public static void main(String[] args) throws IOException {
    if (args.length != 2) {
      throw new IllegalArgumentException("usage: Libraries DIRECTORY TIMESTAMP");
    }
    Path directory = Path.of(args[0]);
    Instant timestamp = Instant.parse(args[1]);
    Path natives = Files.createDirectories(directory.resolve("native"));
    List<String> names = new ArrayList<>();
    for (Path jar : list(directory)) {
      if (jar.endsWith("jrtd.jar") || (holdsNatives(jar) && !slim(jar, natives, timestamp))) {
        Files.delete(jar);
      } else {
        names.add(String.valueOf(jar.getFileName()));
      }
    }
    Path index = directory.resolve("jrtd.jar");
    writeIndex(index, names, timestamp);
    // The cache remembers when a jar was changed: installed files must show the same time.
    for (Path file : list(directory)) {
      Files.setLastModifiedTime(file, FileTime.from(timestamp));
    }
  }

  private static List<Path> list(Path directory) throws IOException {
    List<Path> jars = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*.jar")) {
      files.forEach(jars::add);
    }
    Collections.sort(jars);
    return jars;
  }

  private static boolean holdsNatives(Path jar) {
    String name = String.valueOf(jar.getFileName());
    return name.startsWith("jffi-native")
        || name.startsWith("netty-transport-native-epoll")
        || name.startsWith("zstd-jni");
  }

  /** Takes the native code out of a jar and says whether anything else is in it. */
  private static boolean slim(Path jar, Path natives, Instant timestamp) throws IOException {
    Path slim = jar.resolveSibling(jar.getFileName() + ".slim");
    int classes = 0;
    try (JarFile from = new JarFile(jar.toFile());
        OutputStream file = Files.newOutputStream(slim);
        JarOutputStream to = new JarOutputStream(file)) {
      Enumeration<JarEntry> entries = from.entries();
      while (entries.hasMoreElements()) {
        JarEntry entry = entries.nextElement();
        String name = entry.getName();
        if (name.matches(".*\\.(so|dylib|jnilib|dll|a)")) {
          if (isForThisMachine(name)) {
            try (InputStream in = from.getInputStream(entry)) {
              Path target = natives.resolve(fileName(name));
              Files.write(target, in.readAllBytes());
              Files.setLastModifiedTime(target, FileTime.from(timestamp));
            }
          }
        } else if (!entry.isDirectory()) {
          classes += name.endsWith(".class") && !name.endsWith("module-info.class") ? 1 : 0;
          put(to, name, timestamp);
          try (InputStream in = from.getInputStream(entry)) {
            in.transferTo(to);
          }
          to.closeEntry();
        }
      }
    }
    if (classes == 0) {
      Files.delete(slim);
      return false;
    }
    Files.move(slim, jar, StandardCopyOption.REPLACE_EXISTING);
    return true;
  }

  private static boolean isForThisMachine(String entry) {
    String path = entry.toLowerCase(Locale.ROOT);
    boolean architecture =
        ARCHITECTURE.equals("aarch64")
            ? path.contains("aarch64") || path.contains("aarch_64")
            : path.contains("x86_64") || path.contains("amd64");
    return architecture && (path.contains("linux") || path.contains("native_epoll"));
  }

  /**
   * The loader of zstd is given a file, not a directory; its name must not change with versions.
   */
  private static String fileName(String entry) {
    String name = entry.substring(entry.lastIndexOf('/') + 1);
    return name.startsWith("libzstd-jni") ? "libzstd-jni.so" : name;
  }

  private static void writeIndex(Path index, List<String> names, Instant timestamp)
      throws IOException {
    Manifest manifest = new Manifest();
    Attributes attributes = manifest.getMainAttributes();
    attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    attributes.put(Attributes.Name.CLASS_PATH, String.join(" ", names));
    try (OutputStream file = Files.newOutputStream(index);
        JarOutputStream jar = new JarOutputStream(file)) {
      put(jar, JarFile.MANIFEST_NAME, timestamp);
      manifest.write(jar);
      jar.closeEntry();
    }
  }

  private static void put(JarOutputStream jar, String name, Instant timestamp) throws IOException {
    JarEntry entry = new JarEntry(name);
    entry.setTimeLocal(LocalDateTime.ofInstant(timestamp, ZoneOffset.UTC));
    jar.putNextEntry(entry);
  }
}
