package io.jrt.core.life;

import io.jrt.network.AttachRequest;
import io.jrt.network.Attachment;
import io.jrt.network.NetworkProvider;
import io.jrt.network.NetworkStatus;
import io.jrt.network.PodRef;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;

/** A network that gives a pod an address that leads nowhere, and remembers who is attached. */
final class LoopbackNetwork implements NetworkProvider {
  final Set<String> attached = new ConcurrentSkipListSet<>();

  @Override
  public String name() {
    return "loopback";
  }

  @Override
  public NetworkStatus status() {
    return NetworkStatus.READY;
  }

  @Override
  public Attachment attach(AttachRequest request) {
    attached.add(request.pod().sandboxId());
    return new Attachment(request.pod().sandboxId(), "lo", List.of("127.0.0.1"), "", 0);
  }

  @Override
  public void check(AttachRequest request) {}

  @Override
  public void detach(PodRef pod) {
    attached.remove(pod.sandboxId());
  }

  @Override
  public void gc(Set<String> validSandboxIds) {
    attached.retainAll(validSandboxIds);
  }

  @Override
  public void cleanupAll() {
    attached.clear();
  }

  @Override
  public void close() {}
}
