package io.jrt.linux;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** Sockets, as far as the JDK's cannot do it: descriptors in messages, netlink, other netns. */
public interface Sockets {
  int AF_UNIX = 1;
  int AF_INET = 2;
  int AF_INET6 = 10;
  int AF_NETLINK = 16;
  int SOCK_STREAM = 1;
  int SOCK_DGRAM = 2;
  int SOCK_RAW = 3;
  int SOCK_SEQPACKET = 5;
  int SOCK_NONBLOCK = 04000;
  int SOL_SOCKET = 1;
  int SOL_NETLINK = 270;

  /** How many descriptors one message can carry. */
  int MAX_FDS_PER_MESSAGE = 250;

  Fd socket(int family, int type, int protocol);

  /** Two connected unix sockets of that type. */
  SocketPair socketpair(int type);

  /** Connects to a unix socket; a path that begins with NUL or {@code @} is an abstract name. */
  Fd connectUnix(String path, int type);

  /** Listens on a unix socket path of the given mode; removes a stale socket file first. */
  Fd listenUnix(Path path, int mode);

  Fd accept(Fd listener);

  /**
   * Sends bytes, and descriptors in messages of at most {@value #MAX_FDS_PER_MESSAGE}: the first
   * message carries {@code bytes} and the first batch, each further one a single zero byte and its
   * batch. On a stream {@code bytes} must not be empty.
   */
  void sendWithFds(Fd socket, ByteBuffer bytes, List<Fd> fds);

  /**
   * Receives one message.
   *
   * @param into takes the bytes
   * @return what came; the descriptors are close-on-exec and the caller's to close
   */
  Received receive(Fd socket, ByteBuffer into);

  /** Who is at the other end of a unix socket, at the time it connected. */
  PeerCredentials peerCredentials(Fd socket);

  int intOption(Fd socket, int level, int option);

  void setIntOption(Fd socket, int level, int option, int value);

  void setReceiveTimeout(Fd socket, Duration timeout);

  /** A bound netlink socket with extended acknowledgements and strict checking switched on. */
  Fd netlink(int protocol);

  /** Subscribes a netlink socket to a multicast group. */
  void joinGroup(Fd netlink, int group);

  /** The port id the kernel gave the netlink socket. */
  int netlinkPort(Fd netlink);

  /** send(2) of one datagram, whole. */
  void send(Fd socket, ByteBuffer message);

  /**
   * recv(2) of one datagram; the real length even if {@code into} was too short (MSG_TRUNC), and
   * not more than its space is written. The position advances by what was written.
   */
  int receiveDatagram(Fd socket, ByteBuffer into);

  /** Sends a datagram to a unix socket path or abstract name, as sd_notify needs it. */
  void sendToUnix(String path, ByteBuffer message, List<Fd> fds);

  /** A TCP connection made inside a network namespace, usable from anywhere; blocking mode. */
  Fd connectTcp(Fd netns, InetSocketAddress address, Duration timeout);

  /**
   * @param how 0 reading, 1 writing, 2 both
   */
  void shutdown(Fd socket, int how);

  /** Two ends. */
  record SocketPair(Fd first, Fd second) implements AutoCloseable {
    @Override
    public void close() {
      first.close();
      second.close();
    }
  }

  /**
   * @param length bytes received; 0 at the end of a stream
   * @param truncated whether bytes or descriptors did not fit
   */
  record Received(int length, List<Fd> fds, boolean truncated) {}

  /** Process and user at the other end. */
  record PeerCredentials(int pid, int uid, int gid) {}
}
