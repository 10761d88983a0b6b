package io.jrt.network.bridge;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Damaged;
import io.jrt.linux.WholeFile;
import io.jrt.linux.WholeFile.Durability;
import io.jrt.network.Cidr;
import io.jrt.network.IpAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The ranges that pods get addresses of: those of the configuration, until the cluster tells the
 * node's own. Told ranges are remembered for the next start of the daemon.
 */
final class PodRanges {
  private static final Logger LOG = LoggerFactory.getLogger(PodRanges.class);
  private static final String STEP = "start network";

  private final Path file;
  private List<AddressPool> pools = List.of();

  /** Ranges of before the last change; pods attached then keep their addresses. */
  private final List<AddressPool> retired = new ArrayList<>();

  private PodRanges(Path file) {
    this.file = file;
  }

  /**
   * @param configured ranges to use if none were told
   * @param last the addresses given out last
   */
  static PodRanges open(Path rootDir, List<String> configured, List<String> last) {
    PodRanges ranges = new PodRanges(rootDir.resolve("pod-cidrs"));
    try {
      Files.createDirectories(rootDir);
    } catch (IOException e) {
      throw new JrtException(ErrorKind.INTERNAL, STEP, "cannot make " + rootDir, e);
    }
    ranges.pools = told(ranges.file).orElseGet(() -> pools(configured));
    try {
      for (String address : last) {
        ranges.pools.forEach(pool -> pool.continueAfter(IpAddress.parse(address)));
      }
    } catch (JrtException e) {
      LOG.warn("where to go on with addresses is not known: {}", e.getMessage());
    }
    return ranges;
  }

  /** What the kubelet told an earlier daemon; it tells it again soon. */
  private static Optional<List<AddressPool>> told(Path file) {
    try {
      List<String> told = Files.readAllLines(file).stream().filter(l -> !l.isBlank()).toList();
      return told.isEmpty() ? Optional.empty() : Optional.of(pools(told));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException | JrtException e) {
      Damaged.setAside(
          file, file.resolveSibling("damaged"), "list of ranges", String.valueOf(e.getMessage()));
      return Optional.empty();
    }
  }

  private static List<AddressPool> pools(List<String> ranges) {
    boolean v6Possible = Files.exists(Path.of("/proc/sys/net/ipv6"));
    List<AddressPool> pools = new ArrayList<>();
    for (String text : ranges) {
      Cidr range = Cidr.parse(text);
      if (range.isV6() && !v6Possible) {
        LOG.warn("this kernel has no IPv6: pods get no address of {}", range);
      } else if (pools.stream().anyMatch(pool -> pool.range().isV6() == range.isV6())) {
        throw new JrtException(
            ErrorKind.INVALID, STEP, "second address range of one family: " + range);
      } else {
        pools.add(new AddressPool(range));
      }
    }
    if (pools.isEmpty()) {
      throw new JrtException(ErrorKind.INVALID, STEP, "no address range for pods");
    }
    return List.copyOf(pools);
  }

  /** The pools, current ones first, and such as pods still have addresses of. */
  synchronized List<AddressPool> pools() {
    List<AddressPool> all = new ArrayList<>(pools);
    retired.stream().filter(AddressPool::inUse).forEach(all::add);
    return all;
  }

  /** Takes an address of each current range. */
  synchronized List<Cidr> take() {
    List<Cidr> taken = new ArrayList<>();
    try {
      for (AddressPool pool : pools) {
        taken.add(pool.take());
      }
    } catch (JrtException e) {
      release(taken);
      throw e;
    }
    return taken;
  }

  synchronized void release(List<Cidr> addresses) {
    for (Cidr cidr : addresses) {
      pools.forEach(pool -> pool.release(cidr.address()));
      retired.forEach(pool -> pool.release(cidr.address()));
    }
  }

  /** Notes addresses that a pod has had since before the daemon started. */
  synchronized void restore(List<Cidr> addresses) {
    for (Cidr cidr : addresses) {
      if (pools.stream().noneMatch(pool -> pool.range().contains(cidr.address()))
          && retired.stream().noneMatch(pool -> pool.range().contains(cidr.address()))) {
        retired.add(new AddressPool(cidr));
      }
      pools.forEach(pool -> pool.restore(cidr.address()));
      retired.forEach(pool -> pool.restore(cidr.address()));
    }
  }

  /** The address of each current range that was given out last. */
  synchronized List<String> last() {
    return pools.stream().map(pool -> pool.last().toString()).toList();
  }

  /** Takes other ranges into use. Answers false if these are the ones in use. */
  synchronized boolean replace(List<String> cidrs) {
    List<Cidr> wanted = cidrs.stream().map(text -> Cidr.parse(text).network()).toList();
    if (wanted.isEmpty() || wanted.equals(pools.stream().map(AddressPool::range).toList())) {
      return false;
    }
    List<AddressPool> fresh = new ArrayList<>();
    for (AddressPool made : pools(cidrs)) {
      fresh.add(
          retired.stream()
              .filter(old -> old.range().equals(made.range()))
              .findFirst()
              .orElse(made));
    }
    retired.addAll(pools);
    retired.removeAll(fresh);
    pools = List.copyOf(fresh);
    try {
      WholeFile.write(file, (String.join("\n", cidrs) + "\n").getBytes(UTF_8), Durability.INTACT);
    } catch (IOException e) {
      throw new JrtException(ErrorKind.INTERNAL, STEP, "cannot write " + file, e);
    }
    LOG.info("pods get addresses of {}", wanted);
    return true;
  }
}
