package io.jrt.core.systemd;

import java.util.List;

/**
 * What is asked of systemd. Each call waits until systemd has done it.
 *
 * @see <a href="https://systemd.io/CGROUP_DELEGATION/">systemd on delegation</a>
 */
public interface ServiceManager extends AutoCloseable {

  /**
   * Makes a transient scope and puts one process into it. systemd takes the scope away when its
   * last process has ended.
   *
   * @param scope with its suffix, {@code NAME.scope}
   * @throws io.jrt.errors.JrtException ALREADY_EXISTS; UNAVAILABLE when systemd does not answer;
   *     FAILED_PRECONDITION when it refuses
   */
  void startScope(String scope, int pid, List<UnitProperty> properties);

  /** Makes a transient slice, or leaves one that exists as it is. */
  void startSlice(String slice, List<UnitProperty> properties);

  /** Changes properties until the next boot. */
  void setProperties(String unit, List<UnitProperty> properties);

  /** Ends a unit and what runs in it; fine when there is none. */
  void stop(String unit);

  @Override
  void close();
}
