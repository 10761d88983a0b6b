package io.jrt.network;

import java.util.List;
import java.util.Set;

/**
 * Connects pod sandboxes to a network.
 *
 * <p>Life of an attachment: {@link #attach} once, {@link #check} any number of times, {@link
 * #detach} at least once. What must be known to undo an attachment is stored by the provider before
 * it changes anything, so that after a crash at any point {@code detach}, or {@link #gc} with the
 * sandbox left out, leaves nothing behind. Calls for different sandboxes run side by side; calls
 * for the same one wait for each other. All calls may block and may be made on virtual threads.
 *
 * <p>Errors are {@link io.jrt.errors.JrtException}s with the step {@code attach network}, {@code
 * detach network}, {@code check network} or {@code collect networks}.
 */
public interface NetworkProvider extends AutoCloseable {

  /** The provider's name in the configuration. */
  String name();

  /** Whether pods can be connected now, answered from memory or nearly so. */
  NetworkStatus status();

  /**
   * Connects a sandbox: brings up the loopback interface, makes an interface with addresses and
   * routes, and opens its host ports. On failure everything done is undone before the error is
   * thrown. A second call for an attached sandbox gives the first call's answer.
   */
  Attachment attach(AttachRequest request);

  /** Throws if the attachment is not what {@link #attach} made it. */
  void check(AttachRequest request);

  /**
   * Takes a sandbox off the network and gives its addresses and ports back. May be repeated, works
   * when the namespace is gone, and for a sandbox that never was attached does nothing.
   */
  void detach(PodRef pod);

  /**
   * Undoes every attachment whose sandbox id is not in the set, and collects addresses, interfaces
   * and rules that belong to none. Errors with single attachments do not stop it; they are thrown
   * together at the end.
   */
  void gc(Set<String> validSandboxIds);

  /**
   * Removes all that this provider instance ever put on the host: every attachment, the bridge, the
   * rules. For uninstalling and for tests.
   */
  void cleanupAll();

  /**
   * Tells the address ranges (CIDR notation) the cluster gave this node. A provider whose addresses
   * come from elsewhere ignores it.
   */
  default void podCidrs(List<String> cidrs) {}

  /** Stops watching and working; attachments stay. */
  @Override
  void close();
}
