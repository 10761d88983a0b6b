package io.jrt.core.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrt.core.CapabilityChanges;
import io.jrt.core.ContainerSecurity;
import io.jrt.core.LinuxUser;
import io.jrt.core.NamespaceOptions;
import io.jrt.core.SupplementalGroupsPolicy;
import io.jrt.errors.JrtException;
import io.jrt.image.ImageUser;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class UserMergeTest {
  private static final AccountFiles ACCOUNTS =
      AccountFiles.of(
          """
          root:x:0:0:root:/root:/bin/sh
          app:x:1000:1001:App:/home/app:/bin/sh
          evil:x:1002:1002:Evil:/x\\nroot2::0:/bin/sh
          broken:x:abc
          huge:x:4294967296:0::/:
          """
              .getBytes(StandardCharsets.UTF_8),
          """
          root:x:0:root
          staff:x:50:app,other
          audio:x:29:app
          """
              .getBytes(StandardCharsets.UTF_8));
  private static final ImageUser NOBODY = new ImageUser("", "");

  private static ContainerSecurity asking(
      OptionalLong uid,
      OptionalLong gid,
      String name,
      List<Long> groups,
      SupplementalGroupsPolicy policy) {
    return new ContainerSecurity(
        CapabilityChanges.NONE,
        false,
        NamespaceOptions.DEFAULT,
        Optional.empty(),
        uid,
        gid,
        name,
        false,
        groups,
        policy,
        false,
        List.of(),
        List.of(),
        Optional.empty(),
        Optional.empty());
  }

  private static ContainerSecurity uid(long uid) {
    return asking(
        OptionalLong.of(uid), OptionalLong.empty(), "", List.of(), SupplementalGroupsPolicy.MERGE);
  }

  @Test
  void rootIsTheDefault() {
    UserPlan plan = UserMerge.merge(ContainerSecurity.DEFAULT, NOBODY, ACCOUNTS);
    assertThat(plan.ids()).isEqualTo(new LinuxUser(0, 0, List.of(0L)));
    assertThat(plan.home()).isEqualTo("/root");
  }

  @Test
  void numericUserTakesGroupAndHomeFromItsAccount() {
    UserPlan plan = UserMerge.merge(uid(1000), NOBODY, ACCOUNTS);
    assertThat(plan.ids()).isEqualTo(new LinuxUser(1000, 1001, List.of(1001L, 50L, 29L)));
    assertThat(plan.home()).isEqualTo("/home/app");
  }

  @Test
  void unknownNumericUserHasGroupZeroAndNoHome() {
    UserPlan plan = UserMerge.merge(uid(4242), NOBODY, ACCOUNTS);
    assertThat(plan.ids()).isEqualTo(new LinuxUser(4242, 0, List.of(0L)));
    assertThat(plan.home()).isEqualTo("/");
  }

  @Test
  void imageUserAndGroupByNameAreLookedUp() {
    UserPlan plan =
        UserMerge.merge(ContainerSecurity.DEFAULT, new ImageUser("app", "staff"), ACCOUNTS);
    assertThat(plan.ids()).isEqualTo(new LinuxUser(1000, 50, List.of(50L, 29L)));
  }

  @Test
  void requestedUserDropsTheImagesGroup() {
    UserPlan plan = UserMerge.merge(uid(1000), new ImageUser("0", "0"), ACCOUNTS);
    assertThat(plan.ids().gid()).isEqualTo(1001);
  }

  @Test
  void strictPolicyTakesNoGroupsFromTheImage() {
    UserPlan plan =
        UserMerge.merge(
            asking(
                OptionalLong.of(1000),
                OptionalLong.of(7),
                "",
                List.of(8L),
                SupplementalGroupsPolicy.STRICT),
            NOBODY,
            ACCOUNTS);
    assertThat(plan.ids()).isEqualTo(new LinuxUser(1000, 7, List.of(7L, 8L)));
  }

  @Test
  void unknownNameIsRefused() {
    assertThatThrownBy(
            () ->
                UserMerge.merge(
                    ContainerSecurity.DEFAULT, new ImageUser("nobody-here", ""), ACCOUNTS))
        .isInstanceOf(JrtException.class)
        .hasMessageContaining("nobody-here");
  }

  @Test
  void groupWithoutUserIsRefused() {
    assertThatThrownBy(
            () ->
                UserMerge.merge(
                    asking(
                        OptionalLong.empty(),
                        OptionalLong.of(5),
                        "",
                        List.of(),
                        SupplementalGroupsPolicy.MERGE),
                    NOBODY,
                    ACCOUNTS))
        .isInstanceOf(JrtException.class)
        .hasMessageContaining("without a user");
  }

  @Test
  void idsThatWouldOverflowToRootAreRefused() {
    for (long id : new long[] {4294967296L, 2147483648L, -1}) {
      assertThatThrownBy(() -> UserMerge.merge(uid(id), NOBODY, ACCOUNTS))
          .isInstanceOf(JrtException.class);
    }
    assertThat(ACCOUNTS.user("huge")).isEmpty();
  }

  @Test
  void homeThatCouldSmuggleALineIsNotTaken() {
    assertThat(UserMerge.merge(uid(1002), NOBODY, ACCOUNTS).home()).isEqualTo("/");
  }
}
