package io.jrt.core.spec;

import io.jrt.core.ContainerSecurity;
import io.jrt.core.LinuxUser;
import io.jrt.core.SupplementalGroupsPolicy;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.ImageUser;
import io.jrt.security.Accounts;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Decides the ids of a container's process from the request, the image's USER and the container's
 * own accounts.
 *
 * <p>The request goes first: a uid, or a name that must be among the accounts. A group without a
 * user is refused. With the policy MERGE the groups in which the account is a member are added;
 * with STRICT only the request decides. The primary group always is among the supplementary ones,
 * so that a set-group-id program cannot shed it.
 */
public final class UserMerge {
  private static final String STEP = "decide user";

  /** The kernel has room for 65 536; each container's are in memory for as long as it is there. */
  private static final int MAX_GROUPS = 4096;

  private UserMerge() {}

  public static UserPlan merge(ContainerSecurity request, ImageUser image, AccountFiles accounts) {
    boolean asked = request.runAsUser().isPresent() || !request.runAsUserName().isEmpty();
    if (request.runAsGroup().isPresent() && !asked && image.user().isEmpty()) {
      throw invalid(
          "group %d is asked for without a user".formatted(request.runAsGroup().getAsLong()));
    }
    String user;
    if (request.runAsUser().isPresent()) {
      user = Long.toString(Accounts.checkId("uid", request.runAsUser().getAsLong()));
    } else if (!request.runAsUserName().isEmpty()) {
      user = request.runAsUserName();
    } else {
      user = image.user();
    }
    // The image's group goes with the image's user only.
    String group = asked ? "" : image.group();
    if (request.runAsGroup().isPresent()) {
      group = Long.toString(Accounts.checkId("gid", request.runAsGroup().getAsLong()));
    }

    Optional<AccountFiles.User> account;
    long uid;
    if (user.isEmpty()) {
      uid = 0;
      account = accounts.user(0);
    } else if (Accounts.isNumeric(user)) {
      uid = Accounts.parseId("uid", user);
      account = accounts.user(uid);
    } else {
      account = accounts.user(Accounts.checkName("user", user));
      String name = user;
      uid =
          account
              .orElseThrow(() -> invalid("user \"" + name + "\" is not in the container's passwd"))
              .uid();
    }
    long gid = gid(group, account, accounts);
    return new UserPlan(
        new LinuxUser(uid, gid, groups(request, gid, account, accounts)), home(account));
  }

  private static long gid(
      String group, Optional<AccountFiles.User> account, AccountFiles accounts) {
    if (group.isEmpty()) {
      return account.map(AccountFiles.User::gid).orElse(0L);
    }
    if (Accounts.isNumeric(group)) {
      return Accounts.parseId("gid", group);
    }
    return accounts
        .group(Accounts.checkName("group", group))
        .orElseThrow(() -> invalid("group \"" + group + "\" is not in the container's group file"));
  }

  private static List<Long> groups(
      ContainerSecurity request,
      long gid,
      Optional<AccountFiles.User> account,
      AccountFiles accounts) {
    Set<Long> groups = new LinkedHashSet<>();
    groups.add(gid);
    for (long supplemental : request.supplementalGroups()) {
      groups.add(Accounts.checkId("supplemental group", supplemental));
    }
    if (request.supplementalGroupsPolicy() == SupplementalGroupsPolicy.MERGE) {
      account.ifPresent(user -> groups.addAll(ofMember(user.name(), accounts)));
    }
    return new ArrayList<>(groups);
  }

  private static List<Long> ofMember(String user, AccountFiles accounts) {
    List<Long> groups = accounts.groupsOf(user, MAX_GROUPS + 1);
    if (groups.size() > MAX_GROUPS) {
      throw invalid(
          "user \"%s\" is a member of more than %d groups of the container's group file"
              .formatted(user, MAX_GROUPS));
    }
    return groups;
  }

  private static String home(Optional<AccountFiles.User> account) {
    String home = account.map(AccountFiles.User::home).orElse("/");
    try {
      return home.isEmpty() ? "/" : Accounts.checkHome(home);
    } catch (JrtException refused) {
      // A home that could smuggle a line into a file is as good as none (CVE-2022-4318).
      return "/";
    }
  }

  private static JrtException invalid(String message) {
    return new JrtException(ErrorKind.INVALID, STEP, message);
  }
}
