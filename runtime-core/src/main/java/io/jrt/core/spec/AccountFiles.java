package io.jrt.core.spec;

import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The accounts of a container: its own {@code /etc/passwd} and {@code /etc/group}. They are the
 * image's word and nothing more: a malformed line is no account, and no more is made of them than
 * what is asked for, as there may be half a million of it.
 */
public final class AccountFiles {
  /** How much of a file is read, in bytes. */
  public static final int MAX_BYTES = 4 << 20;

  /** A container without either file. */
  public static final AccountFiles NONE = new AccountFiles(new byte[0], new byte[0]);

  /** A line of passwd. */
  public record User(String name, long uid, long gid, String home) {}

  private record Group(String name, long gid, String members) {
    boolean has(String user) {
      return ("," + members + ",").contains("," + user + ",");
    }
  }

  private final byte[] passwd;
  private final byte[] group;

  private AccountFiles(byte[] passwd, byte[] group) {
    this.passwd = passwd;
    this.group = group;
  }

  /** Of the content of both files; empty content for a file that is not there. */
  public static AccountFiles of(byte[] passwd, byte[] group) {
    return new AccountFiles(passwd, group);
  }

  public Optional<User> user(String name) {
    return users().filter(user -> user.name().equals(name)).findFirst();
  }

  public Optional<User> user(long uid) {
    return users().filter(user -> user.uid() == uid).findFirst();
  }

  /** The id of the group of this name. */
  public Optional<Long> group(String name) {
    return groups().filter(group -> group.name().equals(name)).map(Group::gid).findFirst();
  }

  /** The ids of the groups that name this user as a member, each once, the first ones of them. */
  public List<Long> groupsOf(String userName, int most) {
    return groups()
        .filter(group -> group.has(userName))
        .map(Group::gid)
        .distinct()
        .limit(most)
        .toList();
  }

  private Stream<User> users() {
    return lines(passwd)
        .map(line -> line.split(":", 7))
        .filter(part -> part.length >= 6)
        .map(part -> new User(part[0], id(part[2]), id(part[3]), part[5]))
        .filter(user -> user.uid() >= 0 && user.gid() >= 0);
  }

  private Stream<Group> groups() {
    return lines(group)
        .map(line -> line.split(":", 5))
        .filter(part -> part.length >= 4)
        .map(part -> new Group(part[0], id(part[2]), part[3]))
        .filter(group -> group.gid() >= 0);
  }

  private static Stream<String> lines(byte[] content) {
    int length = Math.min(content.length, MAX_BYTES);
    return new BufferedReader(
            new InputStreamReader(
                new ByteArrayInputStream(content, 0, length), StandardCharsets.UTF_8))
        .lines()
        .filter(line -> !line.isEmpty() && !line.startsWith("#"));
  }

  private static long id(String digits) {
    boolean number =
        !digits.isEmpty() && digits.length() <= 10 && digits.chars().allMatch(Character::isDigit);
    long id = number ? Long.parseLong(digits) : -1;
    return id <= Integer.MAX_VALUE ? id : -1;
  }
}
