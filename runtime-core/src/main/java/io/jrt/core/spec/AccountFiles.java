package io.jrt.core.spec;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The accounts of a container: its own {@code /etc/passwd} and {@code /etc/group}. They are the
 * image's word and nothing more: a malformed line is no account.
 */
public final class AccountFiles {
  private static final int MAX_BYTES = 4 << 20;

  /** A container without either file. */
  public static final AccountFiles NONE = new AccountFiles(List.of(), List.of());

  /** A line of passwd. */
  public record User(String name, long uid, long gid, String home) {}

  /** A line of group. */
  public record Group(String name, long gid, List<String> members) {
    public Group {
      members = List.copyOf(members);
    }
  }

  private final List<User> users;
  private final List<Group> groups;

  private AccountFiles(List<User> users, List<Group> groups) {
    this.users = List.copyOf(users);
    this.groups = List.copyOf(groups);
  }

  /** Reads the content of both files; empty content for a file that is not there. */
  public static AccountFiles parse(byte[] passwd, byte[] group) {
    List<User> users = new ArrayList<>();
    for (String line : lines(passwd)) {
      String[] part = line.split(":", -1);
      if (part.length >= 6) {
        long uid = id(part[2]);
        long gid = id(part[3]);
        if (uid >= 0 && gid >= 0) {
          users.add(new User(part[0], uid, gid, part[5]));
        }
      }
    }
    List<Group> groups = new ArrayList<>();
    for (String line : lines(group)) {
      String[] part = line.split(":", -1);
      if (part.length >= 4) {
        long gid = id(part[2]);
        if (gid >= 0) {
          groups.add(new Group(part[0], gid, List.of(part[3].split(","))));
        }
      }
    }
    return new AccountFiles(users, groups);
  }

  public Optional<User> user(String name) {
    return users.stream().filter(user -> user.name().equals(name)).findFirst();
  }

  public Optional<User> user(long uid) {
    return users.stream().filter(user -> user.uid() == uid).findFirst();
  }

  public Optional<Group> group(String name) {
    return groups.stream().filter(group -> group.name().equals(name)).findFirst();
  }

  /** The groups that name this user as a member. */
  public List<Group> groupsOf(String userName) {
    return groups.stream().filter(group -> group.members().contains(userName)).toList();
  }

  private static List<String> lines(byte[] content) {
    int length = Math.min(content.length, MAX_BYTES);
    return new String(content, 0, length, StandardCharsets.UTF_8)
        .lines()
        .filter(line -> !line.isEmpty() && !line.startsWith("#"))
        .toList();
  }

  private static long id(String digits) {
    boolean number =
        !digits.isEmpty() && digits.length() <= 10 && digits.chars().allMatch(Character::isDigit);
    long id = number ? Long.parseLong(digits) : -1;
    return id <= Integer.MAX_VALUE ? id : -1;
  }
}
