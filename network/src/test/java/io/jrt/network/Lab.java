package io.jrt.network;

import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.NamespaceKind;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * Network namespaces for a test: a host with an outside beyond it, and pods. The machine's own
 * network namespace is not touched.
 *
 * <p>The host has 192.0.2.1 and 2001:db8::1 on its uplink, the outside has .2 and ::2 and no route
 * to any pod.
 */
public final class Lab implements AutoCloseable {
  public static final String HOST_V4 = "192.0.2.1";
  public static final String HOST_V6 = "2001:db8::1";
  public static final String OUTSIDE_V4 = "192.0.2.2";
  public static final String OUTSIDE_V6 = "2001:db8::2";

  private final Kernel kernel = Kernel.open();
  private final Path directory;
  private final Deque<AutoCloseable> resources = new ArrayDeque<>();
  private final Path host;
  private final Path outside;

  public Lab() throws Exception {
    directory = Files.createTempDirectory("jrt-net-" + ProcessHandle.current().pid() + "-");
    try {
      host = netns("host");
      outside = netns("outside");
      for (Path netns : List.of(host, outside)) {
        // The uplink's addresses are there from the first packet on.
        in(
            netns,
            () -> Files.writeString(Path.of("/proc/sys/net/ipv6/conf/default/accept_dad"), "0"));
      }
      ip(host, "link set lo up");
      ip(outside, "link set lo up");
      ip(host, "link add up0 type veth peer name up0 netns " + outside);
      ip(host, "addr add " + HOST_V4 + "/24 dev up0");
      ip(host, "addr add " + HOST_V6 + "/64 dev up0 nodad");
      ip(outside, "addr add " + OUTSIDE_V4 + "/24 dev up0");
      ip(outside, "addr add " + OUTSIDE_V6 + "/64 dev up0 nodad");
      ip(host, "link set up0 up");
      ip(outside, "link set up0 up");
      ip(host, "route add default via " + OUTSIDE_V4);
      ip(host, "-6 route add default via " + OUTSIDE_V6);
    } catch (Exception e) {
      close();
      throw e;
    }
  }

  public Kernel kernel() {
    return kernel;
  }

  public Path directory() {
    return directory;
  }

  public Path host() {
    return host;
  }

  public Path outside() {
    return outside;
  }

  /** The host for a provider. */
  public HostNamespace hostNamespace() {
    Fd fd = kernel.namespaces().open(host);
    resources.push(fd);
    return HostNamespace.of(kernel, fd);
  }

  /** Makes a network namespace, as the daemon does for a pod. */
  public Path netns(String name) {
    Path file = directory.resolve(name + ".netns");
    kernel.namespaces().create(Map.of(NamespaceKind.NET, file));
    resources.push(() -> kernel.namespaces().unpin(Set.of(file)));
    return file;
  }

  public void removeNetns(Path netns) {
    kernel.namespaces().unpin(Set.of(netns));
  }

  /** Runs something in a namespace. */
  public <T> T in(Path netns, Callable<T> body) throws Exception {
    try (Fd fd = kernel.namespaces().open(netns)) {
      return kernel.namespaces().inNetns(fd, body);
    }
  }

  /** Runs {@code ip} in a namespace. */
  public String ip(Path netns, String arguments) throws Exception {
    return run(netns, Stream.concat(Stream.of("ip"), Arrays.stream(arguments.split(" "))).toList());
  }

  /** Runs a program in a namespace and answers what it wrote. */
  public String run(Path netns, List<String> command) throws Exception {
    List<String> all =
        Stream.concat(Stream.of("nsenter", "--net=" + netns), command.stream()).toList();
    Process process = new ProcessBuilder(all).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!process.waitFor(20, TimeUnit.SECONDS) || process.exitValue() != 0) {
      process.destroyForcibly();
      throw new IllegalStateException(command + ": " + output);
    }
    return output;
  }

  /** Serves TCP in a namespace: every client is told its own address and disconnected. */
  public void serveTcp(Path netns, int port) throws Exception {
    ServerSocketChannel server = in(netns, ServerSocketChannel::open);
    server.setOption(StandardSocketOptions.SO_REUSEADDR, true);
    server.bind(new InetSocketAddress("::", port));
    resources.push(server);
    Thread.ofPlatform().daemon().start(() -> accept(server));
  }

  private static void accept(ServerSocketChannel server) {
    while (server.isOpen()) {
      try (SocketChannel client = server.accept()) {
        client.write(ByteBuffer.wrap(peer(client).getBytes(StandardCharsets.UTF_8)));
      } catch (IOException e) {
        // a client that went away, or the end of the test
      }
    }
  }

  private static String peer(SocketChannel client) throws IOException {
    InetAddress address = ((InetSocketAddress) client.getRemoteAddress()).getAddress();
    return IpAddress.of(address.getAddress()).toString();
  }

  /** Connects from a namespace and answers what the server said; "" if it cannot be reached. */
  public String askTcp(Path netns, String address, int port) throws Exception {
    return askTcp(netns, address, port, 2000);
  }

  /** The same with a time limit in milliseconds. */
  public String askTcp(Path netns, String address, int port, int limit) throws Exception {
    SocketChannel channel = in(netns, SocketChannel::open);
    try (channel) {
      channel.socket().connect(new InetSocketAddress(address, port), limit);
      channel.socket().setSoTimeout(limit);
      return new String(channel.socket().getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      return "";
    }
  }

  /** Serves UDP in a namespace: every datagram is answered with its sender's address. */
  public void serveUdp(Path netns, String address, int port) throws Exception {
    DatagramChannel server = udp(netns, address.contains(":"));
    server.bind(new InetSocketAddress(address, port));
    resources.push(server);
    Thread.ofPlatform().daemon().start(() -> answer(server));
  }

  private static void answer(DatagramChannel server) {
    ByteBuffer buffer = ByteBuffer.allocate(1500);
    while (server.isOpen()) {
      try {
        InetSocketAddress from = (InetSocketAddress) server.receive(buffer.clear());
        String text = IpAddress.of(from.getAddress().getAddress()).toString();
        server.send(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)), from);
      } catch (IOException e) {
        // the end of the test
      }
    }
  }

  /** Sends a datagram from a namespace and answers the answer; "" if none comes in a second. */
  public String askUdp(Path netns, String address, int port) throws Exception {
    try (UdpClient client = udpClient(netns, address, port)) {
      return client.ask();
    }
  }

  /** A client that keeps its own port. */
  public UdpClient udpClient(Path netns, String address, int port) throws Exception {
    DatagramChannel channel = udp(netns, address.contains(":"));
    channel.connect(new InetSocketAddress(address, port));
    return new UdpClient(channel);
  }

  /** Asks again and again from one port. */
  public record UdpClient(DatagramChannel channel) implements AutoCloseable {
    /** The answer; "" if none comes in a second. */
    public String ask() {
      try {
        channel.write(ByteBuffer.wrap(new byte[] {'?'}));
        byte[] answer = new byte[100];
        java.net.DatagramPacket packet = new java.net.DatagramPacket(answer, answer.length);
        channel.socket().setSoTimeout(1000);
        channel.socket().receive(packet);
        return new String(answer, 0, packet.getLength(), StandardCharsets.UTF_8);
      } catch (IOException e) {
        return "";
      }
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }

  /**
   * Sends the first packet of an SCTP association. No Java and not every kernel speaks SCTP, but
   * every kernel passes it on.
   */
  public void sendSctp(Path netns, String address, int port) throws Exception {
    ByteBuffer packet = ByteBuffer.allocate(32);
    packet.putShort((short) 40_000).putShort((short) port).putInt(0).putInt(0);
    packet.put((byte) 1).put((byte) 0).putShort((short) 20); // INIT
    packet.putInt(1).putInt(65_536).putShort((short) 1).putShort((short) 1).putInt(1);
    CRC32C sum = new CRC32C();
    sum.update(packet.array());
    packet.order(ByteOrder.LITTLE_ENDIAN).putInt(8, (int) sum.getValue());
    String family = address.contains(":") ? "INET6" : "INET";
    String to = address.contains(":") ? "sockaddr_in6" : "sockaddr_in";
    run(
        netns,
        List.of(
            "perl",
            "-MSocket=:all",
            "-e",
            "socket(my $s, PF_%s, SOCK_RAW, 132) or die $!;".formatted(family)
                + "send($s, pack('H*', $ARGV[0]), 0, %s(0, inet_pton(AF_%s, $ARGV[1]))) or die $!"
                    .formatted(to, family),
            HexFormat.of().formatHex(packet.array()),
            address));
  }

  private DatagramChannel udp(Path netns, boolean v6) throws Exception {
    return in(
        netns,
        () ->
            DatagramChannel.open(v6 ? StandardProtocolFamily.INET6 : StandardProtocolFamily.INET));
  }

  /** Undone at the end, before the namespaces. */
  public void atEnd(AutoCloseable resource) {
    resources.push(resource);
  }

  @Override
  public void close() throws IOException {
    IOException failure = null;
    while (!resources.isEmpty()) {
      try {
        resources.pop().close();
      } catch (Exception e) {
        failure = new IOException(e);
      }
    }
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
        Files.deleteIfExists(file);
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
