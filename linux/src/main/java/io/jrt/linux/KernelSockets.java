package io.jrt.linux;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.net.Inet4Address;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@link Sockets} by system calls. */
final class KernelSockets implements Sockets {
  private static final int SOCK_CLOEXEC = 02000000;
  private static final int SCM_RIGHTS = 1;
  private static final int SO_PEERCRED = 17;
  private static final int SO_RCVTIMEO = 20;
  private static final int SO_SNDTIMEO = 21;
  private static final int MSG_CTRUNC = 0x8;
  private static final int MSG_TRUNC = 0x20;
  private static final int MSG_NOSIGNAL = 0x4000;
  private static final int MSG_CMSG_CLOEXEC = 0x40000000;
  private static final int NETLINK_ADD_MEMBERSHIP = 1;
  private static final int NETLINK_EXT_ACK = 11;
  private static final int NETLINK_GET_STRICT_CHK = 12;
  private static final int SOCKADDR_UN = 110;
  private static final int CMSG_HEADER = 16;
  private static final int CONTROL_SPACE = CMSG_HEADER + 4 * 256;

  private final Files files;

  KernelSockets(Files files) {
    this.files = files;
  }

  private static long check(long result, SystemCall call, String argument) {
    if (result == -1) {
      throw Native.failure(call, argument);
    }
    return result;
  }

  @Override
  public Fd socket(int family, int type, int protocol) {
    long result = Native.retry(SystemCall.SOCKET, family, type | SOCK_CLOEXEC, protocol, 0);
    return Fd.own((int) check(result, SystemCall.SOCKET, "family " + family));
  }

  @Override
  public SocketPair socketpair(int type) {
    return pair(type);
  }

  static SocketPair pair(int type) {
    try (Scratch scratch = Scratch.take()) {
      int ends = scratch.reserve(8);
      long result =
          Native.retry(
              SystemCall.SOCKETPAIR, AF_UNIX, type | SOCK_CLOEXEC, 0, scratch.address(ends));
      check(result, SystemCall.SOCKETPAIR, "");
      return new SocketPair(
          Fd.own(scratch.memory.getInt(ends)), Fd.own(scratch.memory.getInt(ends + 4)));
    }
  }

  /** Writes a sockaddr_un and answers its length. */
  private static int unixAddress(Scratch scratch, int at, String path, SystemCall call) {
    byte[] name = path.getBytes(UTF_8);
    boolean isAbstract = name.length > 0 && (name[0] == '@' || name[0] == 0);
    if (name.length > 107) {
      throw new KernelException(call.label, Errno.ENAMETOOLONG, path);
    }
    scratch.memory.putShort(at, (short) AF_UNIX);
    scratch.memory.put(at + 2, name);
    if (isAbstract) {
      scratch.memory.put(at + 2, (byte) 0);
      return 2 + name.length;
    }
    scratch.memory.put(at + 2 + name.length, (byte) 0);
    return 3 + name.length;
  }

  @Override
  public Fd connectUnix(String path, int type) {
    Fd socket = socket(AF_UNIX, type, 0);
    try (Scratch scratch = Scratch.take()) {
      int at = scratch.zeroed(SOCKADDR_UN);
      int length = unixAddress(scratch, at, path, SystemCall.CONNECT);
      check(
          Native.retry(SystemCall.CONNECT, socket.value(), scratch.address(at), length, 0),
          SystemCall.CONNECT,
          path);
      return socket;
    } catch (RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  @Override
  public Fd listenUnix(Path path, int mode) {
    removeStale(path);
    Fd socket = socket(AF_UNIX, SOCK_STREAM, 0);
    try (Scratch scratch = Scratch.take()) {
      int at = scratch.zeroed(SOCKADDR_UN);
      int length = unixAddress(scratch, at, path.toString(), SystemCall.BIND);
      // On Linux the mode of the socket's inode limits that of the file bind makes.
      files.fchmod(socket, mode);
      check(
          Native.retry(SystemCall.BIND, socket.value(), scratch.address(at), length, 0),
          SystemCall.BIND,
          path.toString());
      files.fchmodat(Fd.CWD, path.toString().getBytes(UTF_8), mode, 0);
      check(
          Native.retry(SystemCall.LISTEN, socket.value(), 4096, 0, 0),
          SystemCall.LISTEN,
          path.toString());
      return socket;
    } catch (RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  private void removeStale(Path path) {
    files
        .statIfPresent(Fd.CWD, path.toString(), At.AT_SYMLINK_NOFOLLOW)
        .filter(stat -> stat.type() == FileType.SOCKET)
        .ifPresent(stat -> files.unlinkIfPresent(Fd.CWD, path.toString(), 0));
  }

  @Override
  public Fd accept(Fd listener) {
    long result = Native.retry(SystemCall.ACCEPT4, listener.value(), 0, 0, SOCK_CLOEXEC);
    return Fd.own((int) check(result, SystemCall.ACCEPT4, listener.toString()));
  }

  @Override
  public void sendWithFds(Fd socket, ByteBuffer bytes, List<Fd> fds) {
    int first = Math.min(fds.size(), MAX_FDS_PER_MESSAGE);
    sendMessage(socket, bytes, fds.subList(0, first), null);
    while (bytes.hasRemaining()) {
      // A stream may take less than all of it; the descriptors went with the first byte.
      sendMessage(socket, bytes, List.of(), null);
    }
    for (int at = first; at < fds.size(); at += MAX_FDS_PER_MESSAGE) {
      int end = Math.min(fds.size(), at + MAX_FDS_PER_MESSAGE);
      sendMessage(socket, ByteBuffer.allocate(1), fds.subList(at, end), null);
    }
  }

  @Override
  public void sendToUnix(String path, ByteBuffer message, List<Fd> fds) {
    try (Fd socket = socket(AF_UNIX, SOCK_DGRAM, 0)) {
      sendMessage(socket, message, fds, path);
    }
  }

  private static void sendMessage(
      Fd socket, ByteBuffer bytes, List<Fd> fds, @Nullable String address) {
    ByteBuffer data = direct(bytes);
    try (Scratch scratch = Scratch.take()) {
      ByteBuffer m = scratch.memory;
      int header = scratch.zeroed(56);
      if (address != null) {
        int name = scratch.zeroed(SOCKADDR_UN);
        m.putInt(header + 8, unixAddress(scratch, name, address, SystemCall.SENDMSG));
        m.putLong(header, scratch.address(name));
      }
      int vector = scratch.reserve(16);
      m.putLong(vector, Native.address(data));
      m.putLong(vector + 8, data.remaining());
      m.putLong(header + 16, scratch.address(vector));
      m.putLong(header + 24, 1);
      if (!fds.isEmpty()) {
        int length = CMSG_HEADER + 4 * fds.size();
        int control = scratch.zeroed(length);
        m.putLong(control, length);
        m.putInt(control + 8, SOL_SOCKET);
        m.putInt(control + 12, SCM_RIGHTS);
        for (int i = 0; i < fds.size(); i++) {
          m.putInt(control + CMSG_HEADER + 4 * i, fds.get(i).value());
        }
        m.putLong(header + 32, scratch.address(control));
        m.putLong(header + 40, (length + 7) & ~7);
      }
      long sent =
          Native.retry(
              SystemCall.SENDMSG, socket.value(), scratch.address(header), MSG_NOSIGNAL, 0);
      check(sent, SystemCall.SENDMSG, address == null ? socket.toString() : address);
      bytes.position(bytes.position() + (int) sent);
    }
  }

  /** The buffer itself when native code can read it, else a copy. */
  private static ByteBuffer direct(ByteBuffer bytes) {
    if (bytes.isDirect()) {
      return bytes.duplicate();
    }
    return ByteBuffer.allocateDirect(bytes.remaining()).put(bytes.duplicate()).flip();
  }

  @Override
  public Received receive(Fd socket, ByteBuffer into) {
    ByteBuffer data = into.isDirect() ? into : ByteBuffer.allocateDirect(into.remaining());
    try (Scratch scratch = Scratch.take()) {
      ByteBuffer m = scratch.memory;
      int header = scratch.zeroed(56);
      int vector = scratch.reserve(16);
      m.putLong(vector, Native.address(data));
      m.putLong(vector + 8, data.remaining());
      m.putLong(header + 16, scratch.address(vector));
      m.putLong(header + 24, 1);
      int control = scratch.zeroed(CONTROL_SPACE);
      m.putLong(header + 32, scratch.address(control));
      m.putLong(header + 40, CONTROL_SPACE);
      long result =
          Native.retry(
              SystemCall.RECVMSG, socket.value(), scratch.address(header), MSG_CMSG_CLOEXEC, 0);
      int length = (int) check(result, SystemCall.RECVMSG, socket.toString());
      if (into.isDirect()) {
        into.position(into.position() + length);
      } else {
        into.put(data.limit(length));
      }
      int flags = m.getInt(header + 48);
      List<Fd> fds = descriptors(m, control, control + (int) m.getLong(header + 40));
      return new Received(length, fds, (flags & (MSG_TRUNC | MSG_CTRUNC)) != 0);
    }
  }

  private static List<Fd> descriptors(ByteBuffer m, int from, int end) {
    List<Fd> fds = new ArrayList<>();
    int at = from;
    while (at + CMSG_HEADER <= end) {
      int length = (int) m.getLong(at);
      if (length < CMSG_HEADER) {
        break;
      }
      if (m.getInt(at + 8) == SOL_SOCKET && m.getInt(at + 12) == SCM_RIGHTS) {
        for (int fd = at + CMSG_HEADER; fd + 4 <= at + length; fd += 4) {
          fds.add(Fd.own(m.getInt(fd)));
        }
      }
      at += (length + 7) & ~7;
    }
    return fds;
  }

  @Override
  public PeerCredentials peerCredentials(Fd socket) {
    try (Scratch scratch = Scratch.take()) {
      int value = scratch.zeroed(12);
      getOption(scratch, socket, SOL_SOCKET, SO_PEERCRED, value, 12);
      ByteBuffer m = scratch.memory;
      return new PeerCredentials(m.getInt(value), m.getInt(value + 4), m.getInt(value + 8));
    }
  }

  @Override
  public int intOption(Fd socket, int level, int option) {
    try (Scratch scratch = Scratch.take()) {
      int value = scratch.zeroed(4);
      getOption(scratch, socket, level, option, value, 4);
      return scratch.memory.getInt(value);
    }
  }

  private static void getOption(
      Scratch scratch, Fd socket, int level, int option, int value, int length) {
    int size = scratch.reserve(4);
    scratch.memory.putInt(size, length);
    long result =
        Native.retry(
            SystemCall.GETSOCKOPT,
            socket.value(),
            level,
            option,
            scratch.address(value),
            scratch.address(size),
            0);
    check(result, SystemCall.GETSOCKOPT, "option " + level + "/" + option);
  }

  @Override
  public void setIntOption(Fd socket, int level, int option, int value) {
    try (Scratch scratch = Scratch.take()) {
      int at = scratch.reserve(4);
      scratch.memory.putInt(at, value);
      setOption(scratch, socket, level, option, at, 4);
    }
  }

  private static void setOption(
      Scratch scratch, Fd socket, int level, int option, int value, int length) {
    long result =
        Native.retry(
            SystemCall.SETSOCKOPT,
            socket.value(),
            level,
            option,
            scratch.address(value),
            length,
            0);
    check(result, SystemCall.SETSOCKOPT, "option " + level + "/" + option);
  }

  @Override
  public void setReceiveTimeout(Fd socket, Duration timeout) {
    setTimeout(socket, SO_RCVTIMEO, timeout);
  }

  private static void setTimeout(Fd socket, int option, Duration timeout) {
    try (Scratch scratch = Scratch.take()) {
      int at = scratch.reserve(16);
      scratch.memory.putLong(at, timeout.getSeconds());
      scratch.memory.putLong(at + 8, timeout.getNano() / 1000);
      setOption(scratch, socket, SOL_SOCKET, option, at, 16);
    }
  }

  // Netlink

  @Override
  public Fd netlink(int protocol) {
    Fd socket = socket(AF_NETLINK, SOCK_RAW, protocol);
    try (Scratch scratch = Scratch.take()) {
      int address = scratch.zeroed(12);
      scratch.memory.putShort(address, (short) AF_NETLINK);
      check(
          Native.retry(SystemCall.BIND, socket.value(), scratch.address(address), 12, 0),
          SystemCall.BIND,
          "netlink " + protocol);
      optionIfKnown(socket, NETLINK_EXT_ACK);
      optionIfKnown(socket, NETLINK_GET_STRICT_CHK);
      return socket;
    } catch (RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  private void optionIfKnown(Fd netlink, int option) {
    try {
      setIntOption(netlink, SOL_NETLINK, option, 1);
    } catch (KernelException e) {
      // Both only make errors clearer; older kernels lack them.
      if (!e.is(Errno.ENOPROTOOPT)) {
        throw e;
      }
    }
  }

  @Override
  public void joinGroup(Fd netlink, int group) {
    setIntOption(netlink, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group);
  }

  @Override
  public int netlinkPort(Fd netlink) {
    try (Scratch scratch = Scratch.take()) {
      int address = scratch.zeroed(12);
      int size = scratch.reserve(4);
      scratch.memory.putInt(size, 12);
      check(
          Native.retry(
              SystemCall.GETSOCKNAME,
              netlink.value(),
              scratch.address(address),
              scratch.address(size),
              0),
          SystemCall.GETSOCKNAME,
          netlink.toString());
      return scratch.memory.getInt(address + 4);
    }
  }

  @Override
  public void send(Fd socket, ByteBuffer message) {
    ByteBuffer data = direct(message);
    long result =
        Native.retry(
            SystemCall.SENDTO,
            socket.value(),
            Native.address(data),
            data.remaining(),
            MSG_NOSIGNAL,
            0,
            0);
    check(result, SystemCall.SENDTO, socket.toString());
    message.position(message.position() + (int) result);
  }

  @Override
  public int receiveDatagram(Fd socket, ByteBuffer into) {
    int space = into.remaining();
    ByteBuffer data = into.isDirect() ? into : ByteBuffer.allocateDirect(space);
    long result =
        Native.retry(
            SystemCall.RECVFROM, socket.value(), Native.address(data), space, MSG_TRUNC, 0, 0);
    int length = (int) check(result, SystemCall.RECVFROM, socket.toString());
    int written = Math.min(length, space);
    if (into.isDirect()) {
      into.position(into.position() + written);
    } else {
      into.put(data.limit(written));
    }
    return length;
  }

  // TCP

  @Override
  public Fd connectTcp(Fd netns, InetSocketAddress address, Duration timeout) {
    if (address.isUnresolved()) {
      throw new KernelException("connect", Errno.EDESTADDRREQ, address.toString());
    }
    try {
      return DisposableThread.run(
          "jrt-connect",
          () -> {
            KernelNamespaces.enter(netns, NamespaceKind.NET);
            return connectHere(address, timeout);
          });
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private Fd connectHere(InetSocketAddress address, Duration timeout) {
    boolean four = address.getAddress() instanceof Inet4Address;
    Fd socket = socket(four ? AF_INET : AF_INET6, SOCK_STREAM, 0);
    try (Scratch scratch = Scratch.take()) {
      int at = scratch.zeroed(28);
      ByteBuffer m = scratch.memory;
      m.putShort(at, (short) (four ? AF_INET : AF_INET6));
      m.put(at + 2, (byte) (address.getPort() >>> 8));
      m.put(at + 3, (byte) address.getPort());
      m.put(at + (four ? 4 : 8), address.getAddress().getAddress());
      // The time-out of sending is that of connecting too.
      setTimeout(socket, SO_SNDTIMEO, timeout);
      long result =
          Native.raw(SystemCall.CONNECT, socket.value(), scratch.address(at), four ? 16 : 28, 0);
      if (result == -1) {
        int errno = Native.errno();
        throw new KernelException(
            "connect",
            errno == Errno.EINPROGRESS.number() ? Errno.ETIMEDOUT.number() : errno,
            address.toString());
      }
      setTimeout(socket, SO_SNDTIMEO, Duration.ZERO);
      return socket;
    } catch (RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  @Override
  public void shutdown(Fd socket, int how) {
    long result = Native.retry(SystemCall.SHUTDOWN, socket.value(), how, 0, 0);
    if (result == -1 && Native.errno() != Errno.ENOTCONN.number()) {
      throw Native.failure(SystemCall.SHUTDOWN, socket.toString());
    }
  }
}
