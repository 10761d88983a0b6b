package io.jrt.network;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/**
 * Content of the files that tell a pod's processes about the network: {@code /etc/resolv.conf},
 * {@code /etc/hostname} and {@code /etc/hosts}.
 */
public final class PodFiles {
  private static final String STEP = "write pod files";

  private PodFiles() {}

  /**
   * The pod's resolver configuration: from the request, or the host's file where the request asks
   * for nothing. A host without the file gives an empty one.
   */
  public static String resolvConf(DnsConfig dns, Path hostResolvConf) {
    if (dns.isEmpty()) {
      return read(hostResolvConf);
    }
    StringBuilder text = new StringBuilder();
    if (!dns.searches().isEmpty()) {
      text.append("search ").append(words(dns.searches(), "search domain")).append('\n');
    }
    for (String server : dns.servers()) {
      text.append("nameserver ").append(word(server, "name server")).append('\n');
    }
    if (!dns.options().isEmpty()) {
      text.append("options ").append(words(dns.options(), "resolver option")).append('\n');
    }
    return text.toString();
  }

  /** The pod's {@code /etc/hostname}. */
  public static String hostname(String hostname) {
    return word(hostname, "host name") + "\n";
  }

  /**
   * The pod's {@code /etc/hosts}: the host's, with the pod's own name and addresses for a pod that
   * has its own network. The kubelet mounts a file of its own over it.
   *
   * @param ips the pod's addresses; empty for a pod in the host's network
   */
  public static String hosts(String hostname, List<String> ips, Path hostHosts) {
    String host = read(hostHosts);
    StringBuilder text =
        new StringBuilder(host.isBlank() ? "127.0.0.1\tlocalhost\n::1\tlocalhost\n" : host);
    if (text.charAt(text.length() - 1) != '\n') {
      text.append('\n');
    }
    for (String ip : ips) {
      text.append(IpAddress.parse(ip))
          .append('\t')
          .append(word(hostname, "host name"))
          .append('\n');
    }
    return text.toString();
  }

  private static String words(List<String> words, String what) {
    words.forEach(word -> word(word, what));
    return String.join(" ", words);
  }

  /** A value that is put on a line must not be able to begin another line or another word. */
  private static String word(String word, String what) {
    if (word.isEmpty() || !word.chars().allMatch(c -> c > ' ' && c < 127)) {
      throw new JrtException(ErrorKind.INVALID, STEP, what + " \"" + word + "\" is not one word");
    }
    return word;
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (NoSuchFileException e) {
      return "";
    } catch (IOException e) {
      throw new JrtException(ErrorKind.INTERNAL, STEP, "cannot read " + file, e);
    }
  }
}
