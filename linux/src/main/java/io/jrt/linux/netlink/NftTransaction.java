package io.jrt.linux.netlink;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Changes to one table of nf_tables, which {@link NfTables#commit} makes all at once or not at all.
 */
public final class NftTransaction {
  /** IPv4 and IPv6 in one table. */
  public static final int INET = 1;

  /** Frames that a bridge forwards. */
  public static final int BRIDGE = 7;

  private static final int SUBSYSTEM = 10 << 8;
  private static final int NEW_TABLE = SUBSYSTEM;
  private static final int DELETE_TABLE = SUBSYSTEM | 2;
  private static final int NEW_CHAIN = SUBSYSTEM | 3;
  private static final int NEW_RULE = SUBSYSTEM | 6;
  private static final int DELETE_RULE = SUBSYSTEM | 8;
  private static final int NEW_SET = SUBSYSTEM | 9;
  private static final int DELETE_SET = SUBSYSTEM | 11;
  private static final int NEW_ELEMENTS = SUBSYSTEM | 12;
  private static final int DELETE_ELEMENTS = SUBSYSTEM | 14;

  /** Elements per message: an attribute can hold 64 KiB. */
  private static final int CHUNK = 256;

  private final int family;
  private final String table;
  private final List<NetlinkMessage> messages = new ArrayList<>();
  private int nextSetId = 1;

  public NftTransaction(int family, String table) {
    this.family = family;
    this.table = table;
  }

  /** {@link #INET} or {@link #BRIDGE}. */
  public int family() {
    return family;
  }

  public String table() {
    return table;
  }

  /** Where in a packet's way a chain is called. */
  public enum Hook {
    PREROUTING(0),
    INPUT(1),
    FORWARD(2),
    OUTPUT(3),
    POSTROUTING(4);

    private final int number;

    Hook(int number) {
      this.number = number;
    }
  }

  /**
   * A type of value in keys of sets: its number as the {@code nft} program knows it, so that it can
   * print the set, and its length in bytes.
   */
  public enum Type {
    IPV4(7, 4),
    IPV6(8, 16),
    PROTOCOL(12, 1),
    PORT(13, 2),
    NAME(41, 16);

    private final int number;
    private final int length;

    Type(int number, int length) {
      this.number = number;
      this.length = length;
    }
  }

  /** An element of a set, or of a map if it has data; key and data are made by {@link #concat}. */
  public static final class Element {
    private final byte[] key;
    private final byte[] data;

    private Element(byte[] key, byte[] data) {
      this.key = key;
      this.data = data;
    }

    public byte[] key() {
      return key.clone();
    }

    /** An element of a set. */
    public static Element of(byte[] key) {
      return new Element(key, new byte[0]);
    }

    /** An element of a map. */
    public static Element of(byte[] key, byte[] data) {
      return new Element(key, data);
    }
  }

  /** Puts values side by side, each padded to whole registers. */
  public static byte[] concat(byte[]... values) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] value : values) {
      out.writeBytes(Arrays.copyOf(value, (value.length + 3) & ~3));
    }
    return out.toByteArray();
  }

  List<NetlinkMessage> messages() {
    return messages;
  }

  public boolean isEmpty() {
    return messages.isEmpty();
  }

  /** Makes the table if it does not exist. */
  public NftTransaction addTable() {
    add("add table", NEW_TABLE, NetlinkConnection.CREATE).text(1, table).attribute32Be(2, 0);
    return this;
  }

  /** Deletes the table with all in it; it must exist. */
  public NftTransaction deleteTable() {
    add("delete table", DELETE_TABLE, 0).text(1, table);
    return this;
  }

  /** Makes a chain that rules jump to. */
  public NftTransaction addChain(String name) {
    add("add chain " + name, NEW_CHAIN, NetlinkConnection.CREATE).text(1, table).text(3, name);
    return this;
  }

  /**
   * Makes a chain that the kernel calls.
   *
   * @param type {@code nat} or {@code filter}
   * @param priority lower ones are called earlier
   */
  public NftTransaction addChain(String name, String type, Hook hook, int priority) {
    add("add chain " + name, NEW_CHAIN, NetlinkConnection.CREATE)
        .text(1, table)
        .text(3, name)
        .nest(4, h -> h.attribute32Be(1, hook.number).attribute32Be(2, priority))
        .attribute32Be(5, 1) // accept what no rule decides
        .text(7, type);
    return this;
  }

  /** Appends a rule. */
  public NftTransaction addRule(String chain, NftExpression... steps) {
    add("add rule to " + chain, NEW_RULE, NetlinkConnection.CREATE | NetlinkConnection.APPEND)
        .text(1, table)
        .text(2, chain)
        .nest(
            4,
            list -> {
              for (NftExpression step : steps) {
                step.write(list);
              }
            });
    return this;
  }

  /** Removes all rules of a chain. */
  public NftTransaction flushChain(String chain) {
    add("flush chain " + chain, DELETE_RULE, 0).text(1, table).text(2, chain);
    return this;
  }

  /** Makes a set whose keys are made of those values. */
  public NftTransaction addSet(String name, Type... key) {
    addSet(name, 0, List.of(key), List.of());
    return this;
  }

  /** Makes a map from keys to data. */
  public NftTransaction addMap(String name, List<Type> key, List<Type> data) {
    addSet(name, 0x8, key, data);
    return this;
  }

  public NftTransaction deleteSet(String name) {
    add("delete set " + name, DELETE_SET, 0).text(1, table).text(2, name);
    return this;
  }

  private void addSet(String name, int flags, List<Type> key, List<Type> data) {
    NetlinkMessage message =
        add("add set " + name, NEW_SET, NetlinkConnection.CREATE)
            .text(1, table)
            .text(2, name)
            .attribute32Be(3, flags)
            .attribute32Be(4, typeNumber(key))
            .attribute32Be(5, length(key));
    if (!data.isEmpty()) {
      message.attribute32Be(6, typeNumber(data)).attribute32Be(7, length(data));
    }
    message.attribute32Be(10, nextSetId++);
  }

  /** Adds elements to a set or map. */
  public NftTransaction addElements(String set, List<Element> elements) {
    elements("add element to ", NEW_ELEMENTS, NetlinkConnection.CREATE, set, elements);
    return this;
  }

  /** Removes elements, all of which must be there. */
  public NftTransaction deleteElements(String set, List<Element> elements) {
    elements("delete element of ", DELETE_ELEMENTS, 0, set, elements);
    return this;
  }

  private void elements(String label, int type, int flags, String set, List<Element> elements) {
    for (int from = 0; from < elements.size(); from += CHUNK) {
      List<Element> chunk = elements.subList(from, Math.min(from + CHUNK, elements.size()));
      add(label + set, type, flags)
          .text(1, table)
          .text(2, set)
          .nest(
              3,
              list -> {
                for (Element element : chunk) {
                  list.nest(
                      1,
                      one -> {
                        one.nest(1, value -> value.bytes(1, element.key));
                        if (element.data.length > 0 && type == NEW_ELEMENTS) {
                          one.nest(2, value -> value.bytes(1, element.data));
                        }
                      });
                }
              });
    }
  }

  private static int typeNumber(List<Type> types) {
    int number = 0;
    for (Type type : types) {
      number = number << 6 | type.number;
    }
    return number;
  }

  private static int length(List<Type> types) {
    return types.size() == 1
        ? types.getFirst().length
        : types.stream().mapToInt(type -> (type.length + 3) & ~3).sum();
  }

  private NetlinkMessage add(String label, int type, int flags) {
    NetlinkMessage message =
        new NetlinkMessage(
                "nf_tables " + label + " in table " + table,
                type,
                NetlinkConnection.REQUEST | NetlinkConnection.ACK | flags)
            .u8(family)
            .u8(0)
            .u16Be(0);
    messages.add(message);
    return message;
  }
}
