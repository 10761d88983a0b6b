package io.jrt.network.bridge;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.network.AttachRequest;
import io.jrt.network.BridgeConfig;
import io.jrt.network.CniConfig;
import io.jrt.network.GroupsConfig;
import io.jrt.network.Lab;
import io.jrt.network.NetworkConfig;
import io.jrt.network.NetworkProvider;
import io.jrt.network.NetworkProviderContract;
import io.jrt.network.PortMapping;
import io.jrt.network.PortMapping.Protocol;
import io.jrt.network.spi.NetworkContext;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** With groups on, pods reach only pods that share a group; all else is as without groups. */
class GroupIsolationIT extends NetworkProviderContract {

  @Override
  protected NetworkProvider open() {
    NetworkConfig config =
        new NetworkConfig(
            "bridge",
            BridgeConfig.DEFAULT,
            CniConfig.DEFAULT,
            new GroupsConfig(true, "jrt.io/group"),
            Map.of());
    return new BridgeNetworkProvider(
        new NetworkContext(
            lab.kernel(),
            "t1",
            lab.directory().resolve("root"),
            lab.directory().resolve("state"),
            config),
        lab.hostNamespace());
  }

  @Override
  protected String traces() throws Exception {
    String rules = lab.run(lab.host(), List.of("nft", "list", "ruleset"));
    return rules.contains("elements") ? rules : "";
  }

  private Pod member(String groups, PortMapping... ports) throws Exception {
    AttachRequest request =
        request(groups.isEmpty() ? Map.of() : Map.of("jrt.io/group", groups), ports);
    Pod pod = attach(request);
    lab.serveTcp(pod.netns(), 8080);
    return pod;
  }

  private boolean reaches(Pod from, Pod to) throws Exception {
    String v4 = lab.askTcp(from.netns(), to.v4(), 8080, 400);
    String v6 = lab.askTcp(from.netns(), to.v6(), 8080, 400);
    assertThat(v4.isEmpty()).as("both families agree").isEqualTo(v6.isEmpty());
    return !v4.isEmpty();
  }

  @Test
  void onlyPodsThatShareAGroupReachEachOther() throws Exception {
    Pod red = member("red");
    Pod red2 = member("red.green");
    Pod blue = member("blue");
    Pod both = member("red,blue");
    Pod none = member("");
    Pod none2 = member("default");
    assertThat(reaches(red, red2)).isTrue();
    assertThat(reaches(red2, red)).isTrue();
    assertThat(reaches(red, blue)).isFalse();
    assertThat(reaches(blue, red)).isFalse();
    assertThat(reaches(both, red)).isTrue();
    assertThat(reaches(both, blue)).isTrue();
    assertThat(reaches(blue, both)).isTrue();
    assertThat(reaches(none, red)).isFalse();
    assertThat(reaches(red, none)).isFalse();
    assertThat(reaches(none, none2)).isTrue();
    provider.detach(both.ref());
    provider.gc(
        Set.of(
            red.ref().sandboxId(), red2.ref().sandboxId(),
            blue.ref().sandboxId(), none.ref().sandboxId()));
    assertThat(reaches(red, red2)).isTrue();
    assertThat(reaches(red, blue)).isFalse();
  }

  @Test
  void hostAndOutsideAreReachedFromEveryGroup() throws Exception {
    Pod red = member("red");
    lab.serveTcp(lab.host(), 9090);
    lab.serveTcp(lab.outside(), 7070);
    assertThat(lab.askTcp(red.netns(), Lab.HOST_V4, 9090)).isNotEmpty();
    assertThat(lab.askTcp(red.netns(), Lab.OUTSIDE_V6, 7070)).isEqualTo(Lab.HOST_V6);
    assertThat(lab.askTcp(lab.host(), red.v4(), 8080)).isNotEmpty();
  }

  @Test
  void hostPortIsNoWayRound() throws Exception {
    Pod red = member("red", new PortMapping(Protocol.TCP, 8080, 18080, ""));
    Pod red2 = member("red");
    Pod blue = member("blue");
    assertThat(lab.askTcp(lab.outside(), Lab.HOST_V4, 18080)).isEqualTo(Lab.OUTSIDE_V4);
    assertThat(lab.askTcp(red2.netns(), Lab.HOST_V4, 18080)).isNotEmpty();
    assertThat(lab.askTcp(blue.netns(), Lab.HOST_V4, 18080, 400)).isEmpty();
    assertThat(lab.askTcp(blue.netns(), Lab.HOST_V6, 18080, 400)).isEmpty();
    assertThat(red.v4()).isNotEmpty();
  }

  @Test
  void anAddressThatIsNotThePodsGetsNowhere() throws Exception {
    Pod red = member("red");
    Pod blue = member("blue");
    // The host may route between pods of the bridge; a forged source must not pass for another's.
    lab.ip(blue.netns(), "addr add 10.88.7.7/32 dev eth0");
    lab.ip(blue.netns(), "route add " + red.v4() + "/32 via 10.88.0.1 src 10.88.7.7");
    assertThat(lab.askTcp(blue.netns(), red.v4(), 8080, 400)).isEmpty();
  }
}
