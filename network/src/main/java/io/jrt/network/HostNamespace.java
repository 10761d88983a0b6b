package io.jrt.network;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Fd;
import io.jrt.linux.Kernel;
import java.util.concurrent.Callable;

/**
 * The network namespace that plays the host: the daemon's own, or another one given by its file
 * descriptor. Work on the host's side of a network is done through {@link #call}.
 */
public final class HostNamespace {
  private final Runner runner;

  private HostNamespace(Runner runner) {
    this.runner = runner;
  }

  /** The daemon's own namespace: work is done on the calling thread. */
  public static HostNamespace own() {
    return new HostNamespace(
        new Runner() {
          @Override
          public <T> T run(Callable<T> body) throws Exception {
            return body.call();
          }
        });
  }

  /** Another namespace: work is done on a thread that enters it and ends afterwards. */
  public static HostNamespace of(Kernel kernel, Fd netns) {
    return new HostNamespace(
        new Runner() {
          @Override
          public <T> T run(Callable<T> body) throws Exception {
            return kernel.namespaces().inNetns(netns, body);
          }
        });
  }

  /**
   * Does something in the namespace and waits for it.
   *
   * @param step the step that a checked exception is reported in
   */
  public <T> T call(String step, Callable<T> body) {
    return checked(step, () -> runner.run(body));
  }

  /** Does something in a pod's namespace and waits for it. */
  public static <T> T callIn(Kernel kernel, Fd netns, String step, Callable<T> body) {
    return checked(step, () -> kernel.namespaces().inNetns(netns, body));
  }

  private static <T> T checked(String step, Callable<T> body) {
    try {
      return body.call();
    } catch (RuntimeException e) {
      throw e;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new JrtException(ErrorKind.CANCELLED, step, "interrupted", e);
    } catch (Exception e) {
      throw new JrtException(ErrorKind.INTERNAL, step, String.valueOf(e.getMessage()), e);
    }
  }

  private interface Runner {
    <T> T run(Callable<T> body) throws Exception;
  }
}
