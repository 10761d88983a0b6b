package io.jrt.image.registry;

import io.jrt.image.Reference;
import io.jrt.image.RegistryAuth;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Asks registries for manifests and blobs (OCI distribution-spec, pull side). */
public final class RegistryClient implements AutoCloseable {
  private final RegistryHosts hosts;
  private final ExecutorService executor;
  private final HttpTransport transport;
  private final RegistryRequests requests;

  /**
   * @param proxies of the node
   * @param patience how long a registry may say nothing
   */
  public RegistryClient(RegistryHosts hosts, Proxies proxies, Duration patience) {
    this.hosts = hosts;
    this.executor =
        Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("jrt-http-", 0).factory());
    this.transport = new HttpTransport(proxies, patience, executor);
    this.requests = new RegistryRequests(hosts, transport);
  }

  /** Begins a pull: reads the configuration of the registries anew. */
  public RegistrySession session(Reference reference, RegistryAuth auth) {
    transport.forgetCustomTls();
    return new RegistrySession(hosts, requests, reference, auth);
  }

  @Override
  public void close() {
    transport.close();
    executor.shutdownNow();
  }
}
