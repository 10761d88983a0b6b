package io.jrt.core.life;

import io.jrt.core.NamespaceMode;
import io.jrt.core.PodState;
import io.jrt.core.PodSummary;
import io.jrt.core.launch.LiveContainer;
import io.jrt.core.store.PodRecord;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** A pod sandbox as this daemon holds it: its record and the handles on what runs of it. */
final class Pod {
  private final ReentrantLock lock = new ReentrantLock();
  private volatile PodRecord record;
  private volatile boolean answered;
  private @Nullable LiveContainer init;

  Pod(PodRecord record, boolean answered) {
    this.record = record;
    this.answered = answered;
  }

  String id() {
    return record.id();
  }

  PodRecord record() {
    return record;
  }

  void record(PodRecord next) {
    record = next;
  }

  /** Whether the caller who asked for it has heard its id; if not, a retry gets this very pod. */
  boolean answered() {
    return answered;
  }

  void markAnswered() {
    answered = true;
  }

  /** Guards changes of what the pod shares among its containers. */
  ReentrantLock lock() {
    return lock;
  }

  /** The first process of the shared pid namespace, once a container needed one. */
  Optional<LiveContainer> init() {
    return Optional.ofNullable(init);
  }

  void init(@Nullable LiveContainer started) {
    init = started;
  }

  boolean isReady() {
    return record.phase() == PodRecord.Phase.READY;
  }

  PodState state() {
    return isReady() ? PodState.READY : PodState.NOT_READY;
  }

  boolean hostNetwork() {
    return record.config().security().namespaces().network() == NamespaceMode.NODE;
  }

  boolean hostIpc() {
    return record.config().security().namespaces().ipc() == NamespaceMode.NODE;
  }

  boolean hasUserNamespace() {
    return record
        .config()
        .security()
        .namespaces()
        .user()
        .filter(user -> user.mode() == NamespaceMode.POD)
        .isPresent();
  }

  PodSummary summary() {
    PodRecord now = record;
    return new PodSummary(
        now.id(),
        now.config().metadata(),
        state(),
        now.createdAt(),
        now.config().labels(),
        now.config().annotations(),
        now.runtimeHandler());
  }
}
