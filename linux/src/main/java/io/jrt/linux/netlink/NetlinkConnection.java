package io.jrt.linux.netlink;

import io.jrt.linux.Errno;
import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import io.jrt.linux.KernelException;
import io.jrt.linux.Sockets;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A netlink socket of one family, and the conversation over it: requests go out, several in one
 * datagram if wanted, and every one is answered before the call returns.
 *
 * <p>The socket works on the network namespace of the thread that opened it, for good, and may then
 * be used from any thread, one at a time.
 */
public final class NetlinkConnection implements AutoCloseable {
  public static final int ROUTE = 0;
  public static final int NETFILTER = 12;

  public static final int REQUEST = 1;
  public static final int ACK = 4;
  public static final int DUMP = 0x300;
  public static final int CREATE = 0x400;
  public static final int EXCLUSIVE = 0x200;
  public static final int REPLACE = 0x100;
  public static final int APPEND = 0x800;

  private static final int TYPE_ERROR = 2;
  private static final int TYPE_DONE = 3;
  private static final int FLAG_DUMP_INTERRUPTED = 0x10;
  private static final int FLAG_CAPPED = 0x100;
  private static final int FLAG_ACK_ATTRIBUTES = 0x200;
  private static final int ACK_MESSAGE = 1;

  private static final int SO_SNDBUFFORCE = 32;
  private static final int SO_RCVBUFFORCE = 33;

  /** Room for one transaction that rebuilds all rules, and for an answer to each of its parts. */
  private static final int SOCKET_BUFFER = 8 << 20;

  private final Sockets sockets;
  private final Fd socket;
  private final ByteBuffer incoming =
      ByteBuffer.allocateDirect(1 << 16).order(ByteOrder.nativeOrder());
  private int sequence = 1;
  private boolean broken;

  private NetlinkConnection(Sockets sockets, Fd socket) {
    this.sockets = sockets;
    this.socket = socket;
  }

  /** Opens a socket in the calling thread's network namespace. */
  public static NetlinkConnection open(Kernel kernel, int family) {
    Fd socket = kernel.sockets().netlink(family);
    try {
      kernel.sockets().setIntOption(socket, Sockets.SOL_SOCKET, SO_SNDBUFFORCE, SOCKET_BUFFER);
      kernel.sockets().setIntOption(socket, Sockets.SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_BUFFER);
      // The kernel answers before send returns; the time-out only guards against a bug hanging us.
      kernel.sockets().setReceiveTimeout(socket, Duration.ofSeconds(20));
      return new NetlinkConnection(kernel.sockets(), socket);
    } catch (RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  /** Whether a conversation broke off in the middle, so that answers may lie unread. */
  public synchronized boolean isBroken() {
    return broken;
  }

  /**
   * Sends one request and answers what came before its acknowledgement.
   *
   * @throws KernelException the kernel refused it
   */
  public List<NetlinkReply> call(NetlinkMessage request) {
    List<NetlinkReply> replies = new ArrayList<>();
    List<KernelException> errors = exchange(List.of(request), replies);
    if (!errors.isEmpty()) {
      throw errors.getFirst();
    }
    return replies;
  }

  /**
   * Sends several requests, which the kernel works off in order, each on its own: one that fails
   * does not undo or stop the others.
   *
   * @return what went wrong, in order; empty if nothing did
   */
  public List<KernelException> callEach(List<NetlinkMessage> requests) {
    return exchange(requests, new ArrayList<>());
  }

  private synchronized List<KernelException> exchange(
      List<NetlinkMessage> requests, List<NetlinkReply> replies) {
    int first = send(requests);
    List<KernelException> errors = new ArrayList<>();
    int answered = 0;
    while (answered < requests.size()) {
      receive();
      while (incoming.remaining() >= NetlinkMessage.HEADER) {
        Header header = nextHeader();
        int index = header.sequence - first;
        if (index < 0 || index >= requests.size()) {
          skip(header); // an answer to a conversation that broke off
          continue;
        }
        NetlinkMessage request = requests.get(index);
        if (header.type == TYPE_ERROR) {
          answered++;
          readError(header, request).ifPresent(errors::add);
        } else if (header.type == TYPE_DONE) {
          answered++;
          int status = header.bodyLength() >= 4 ? incoming.getInt(incoming.position()) : 0;
          if (status < 0) {
            errors.add(error(request, -status, ""));
          } else if ((header.flags & FLAG_DUMP_INTERRUPTED) != 0) {
            errors.add(error(request, Errno.EINTR.number(), ""));
          }
          skip(header);
        } else {
          byte[] body = new byte[header.bodyLength()];
          incoming.get(incoming.position(), body);
          replies.add(new NetlinkReply(header.type, body));
          skip(header);
        }
      }
    }
    return errors;
  }

  /**
   * Lists objects. A list that changed while it was read is read again.
   *
   * @param request with the {@link #DUMP} flag
   */
  public List<NetlinkReply> dump(NetlinkMessage request) {
    for (int attempt = 1; ; attempt++) {
      List<NetlinkReply> replies = new ArrayList<>();
      List<KernelException> errors = exchange(List.of(request), replies);
      if (errors.isEmpty()) {
        return replies;
      }
      if (!errors.getFirst().is(Errno.EINTR) || attempt == 10) {
        throw errors.getFirst();
      }
    }
  }

  /**
   * Sends messages between the begin and end marks of an nf_tables transaction; either all of them
   * happen or none.
   */
  synchronized void transact(
      List<NetlinkMessage> messages, NetlinkMessage begin, NetlinkMessage end) {
    List<NetlinkMessage> all = new ArrayList<>(messages.size() + 2);
    all.add(begin);
    all.addAll(messages);
    all.add(end);
    int first = send(all);
    int answered = 0;
    List<KernelException> errors = new ArrayList<>();
    boolean refusedWhole = false;
    // Each message between the marks asked for an answer. A transaction refused as a whole gets
    // just one, to its begin mark.
    while (answered < messages.size() && !refusedWhole) {
      receive();
      while (incoming.remaining() >= NetlinkMessage.HEADER) {
        Header header = nextHeader();
        int index = header.sequence - first;
        if (index < 0 || index >= all.size() || header.type != TYPE_ERROR) {
          skip(header);
          continue;
        }
        refusedWhole |= index == 0;
        answered++;
        readError(header, all.get(index)).ifPresent(errors::add);
      }
    }
    if (!errors.isEmpty()) {
      throw errors.getFirst();
    }
  }

  private int send(List<NetlinkMessage> messages) {
    if (broken) {
      throw new IllegalStateException("netlink conversation broke off");
    }
    int first = sequence;
    int size = 0;
    for (NetlinkMessage message : messages) {
      size += (message.size() + 3) & ~3;
    }
    ByteBuffer datagram = ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder());
    for (NetlinkMessage message : messages) {
      message.writeTo(datagram, sequence++);
    }
    sockets.send(socket, datagram.flip());
    return first;
  }

  private void receive() {
    incoming.clear();
    boolean whole = false;
    try {
      int length = sockets.receiveDatagram(socket, incoming);
      if (length > incoming.capacity()) {
        throw new KernelException(
            "recv", Errno.EMSGSIZE, "netlink message of " + length + " bytes");
      }
      whole = true;
    } finally {
      broken = !whole;
    }
    incoming.flip();
  }

  private Header nextHeader() {
    int at = incoming.position();
    Header header =
        new Header(
            incoming.getInt(at),
            incoming.getShort(at + 4) & 0xffff,
            incoming.getShort(at + 6) & 0xffff,
            incoming.getInt(at + 8));
    if (header.length < NetlinkMessage.HEADER || header.length > incoming.remaining()) {
      throw new KernelException("recv", Errno.EBADMSG, "netlink message");
    }
    incoming.position(at + NetlinkMessage.HEADER);
    return header;
  }

  private void skip(Header header) {
    int end = incoming.position() + ((header.bodyLength() + 3) & ~3);
    incoming.position(Math.min(end, incoming.limit()));
  }

  private Optional<KernelException> readError(Header header, NetlinkMessage request) {
    int at = incoming.position();
    int status = -incoming.getInt(at);
    String text = "";
    if (status != 0 && (header.flags & FLAG_ACK_ATTRIBUTES) != 0) {
      // The refused request follows, whole or its header only, and then what the kernel says to it.
      int quoted =
          (header.flags & FLAG_CAPPED) != 0 ? NetlinkMessage.HEADER : incoming.getInt(at + 4);
      int offset = 4 + ((quoted + 3) & ~3);
      if (offset < header.bodyLength()) {
        byte[] rest = new byte[header.bodyLength() - offset];
        incoming.get(at + offset, rest);
        text = Attributes.parse(rest, 0, rest.length).text(ACK_MESSAGE).orElse("");
      }
    }
    skip(header);
    return status == 0 ? Optional.empty() : Optional.of(error(request, status, text));
  }

  private static KernelException error(NetlinkMessage request, int errno, String text) {
    String what = request.label();
    return new KernelException(
        "netlink",
        Errno.of(errno),
        Errno.of(errno) == Errno.UNKNOWN
            ? what + " (errno " + errno + ")" + (text.isEmpty() ? "" : " " + text)
            : what + (text.isEmpty() ? "" : " (" + text + ")"));
  }

  @Override
  public void close() {
    socket.close();
  }

  private record Header(int length, int type, int flags, int sequence) {
    int bodyLength() {
      return length - NetlinkMessage.HEADER;
    }
  }
}
