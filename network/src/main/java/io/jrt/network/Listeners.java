package io.jrt.network;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.network.PortMapping.Protocol;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.UnsupportedAddressTypeException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** Finds the sockets of the host that listen, in {@code /proc/net}, and who owns one. */
final class Listeners {
  private static final String STEP = "attach network";
  private static final String TCP_LISTEN = "0A";
  private static final String UDP_UNCONNECTED = "07";

  private Listeners() {}

  /**
   * Whether some socket may stand in the way of one of the ports. Binding to a port answers that in
   * microseconds; the tables, which tell whose socket it is, take milliseconds.
   */
  static boolean mayBlock(HostNamespace host, List<PortMapping> mappings) {
    return host.call(STEP, () -> mappings.stream().anyMatch(Listeners::isBound));
  }

  private static boolean isBound(PortMapping mapping) {
    InetSocketAddress address =
        mapping.hostIp().isEmpty()
            ? new InetSocketAddress(mapping.hostPort())
            : new InetSocketAddress(
                IpAddress.parse(mapping.hostIp()).toInetAddress(), mapping.hostPort());
    try {
      switch (mapping.protocol()) {
        case TCP -> {
          try (SocketChannel probe = SocketChannel.open()) {
            // With this only a listening socket is in the way, not the rest of a connection.
            probe.setOption(StandardSocketOptions.SO_REUSEADDR, true).bind(address);
          }
        }
        case UDP -> {
          try (DatagramChannel probe = DatagramChannel.open()) {
            probe.bind(address);
          }
        }
        case SCTP -> {} // neither the JDK nor the tables know it
      }
      return false;
    } catch (IOException | UnsupportedAddressTypeException e) {
      return true; // the tables tell why
    }
  }

  static List<Listener> read(HostNamespace host) {
    return host.call(
        STEP,
        () -> {
          List<Listener> listeners = new ArrayList<>();
          // thread-self, not self: the host may be a namespace that only this thread is in.
          Path net = Path.of("/proc/thread-self/net");
          read(net.resolve("tcp"), Protocol.TCP, TCP_LISTEN, listeners);
          read(net.resolve("tcp6"), Protocol.TCP, TCP_LISTEN, listeners);
          read(net.resolve("udp"), Protocol.UDP, UDP_UNCONNECTED, listeners);
          read(net.resolve("udp6"), Protocol.UDP, UDP_UNCONNECTED, listeners);
          return listeners;
        });
  }

  private static void read(Path table, Protocol protocol, String state, List<Listener> into)
      throws IOException {
    List<String> lines;
    try {
      lines = Files.readAllLines(table);
    } catch (NoSuchFileException e) {
      return; // this kernel has no IPv6
    }
    for (String line : lines) {
      String[] fields = line.trim().split("\\s+");
      if (fields.length > 9 && fields[3].equals(state)) {
        String[] local = fields[1].split(":");
        into.add(
            new Listener(
                protocol,
                address(local[0]),
                Integer.parseInt(local[1], 16),
                Long.parseLong(fields[9])));
      }
    }
  }

  /** The table shows an address as 32-bit numbers in the machine's order. */
  private static IpAddress address(String hex) {
    ByteBuffer in = ByteBuffer.wrap(HexFormat.of().parseHex(hex));
    ByteBuffer out = ByteBuffer.allocate(in.capacity()).order(ByteOrder.nativeOrder());
    while (in.hasRemaining()) {
      out.putInt(in.getInt());
    }
    return IpAddress.of(out.array());
  }

  /** The process that owns a listening socket, for an error message. */
  static String holder(Listener listener) {
    String wanted = "socket:[" + listener.inode() + "]";
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
      for (Path process : processes) {
        if (owns(process, wanted)) {
          return "process " + process.getFileName() + " (" + command(process) + ")";
        }
      }
    } catch (IOException e) {
      throw new JrtException(ErrorKind.INTERNAL, STEP, "cannot list /proc", e);
    }
    return "a socket of the host";
  }

  private static boolean owns(Path process, String wanted) {
    try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(process.resolve("fd"))) {
      for (Path descriptor : descriptors) {
        if (target(descriptor).equals(wanted)) {
          return true;
        }
      }
    } catch (IOException e) {
      return false; // the process has ended
    }
    return false;
  }

  private static String target(Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor).toString();
    } catch (IOException e) {
      return ""; // closed meanwhile
    }
  }

  private static String command(Path process) {
    try {
      return Files.readString(process.resolve("comm")).trim();
    } catch (IOException e) {
      return "ended";
    }
  }
}
