package io.jrt.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import io.jrt.cri.v1.ContainerEventResponse;
import io.jrt.cri.v1.ContainerEventType;
import io.jrt.cri.v1.GetEventsRequest;
import io.jrt.cri.v1.NamespaceMode;
import io.jrt.cri.v1.PodSandboxConfig;
import io.jrt.cri.v1.RemoveContainerRequest;
import io.jrt.cri.v1.RuntimeServiceGrpc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Readers of events, fast and slow, while much happens. */
@Timeout(600)
class EventsIT {
  private static final int CONTAINERS = Integer.getInteger("jrt.test.containers", 1000);
  private static final int WORKERS = 4;

  /** With room for all that happens, and with room for a part. */
  @ParameterizedTest
  @ValueSource(ints = {4096, 64})
  void aReaderThatSleepsHoldsNobodyAndIsToldWhatItMissed(int room) throws Exception {
    try (Daemon daemon = Daemon.start("events.replay = " + room + "\n")) {
      Cri cri = daemon.cri();
      String image = daemon.bundledImage();
      PodSandboxConfig pod =
          Cri.pod("many", NamespaceMode.NODE, daemon.home().resolve("logs")).build();
      String podId = cri.runPod(pod);
      makeAndRemove(cri, pod, podId, image, 0, 100);
      Reader awake = Reader.of(cri, true);
      Reader asleep = Reader.of(cri, false);
      awake.listening();
      asleep.listening();
      long before = memory(daemon.pid());
      long began = System.nanoTime();
      makeAndRemove(cri, pod, podId, image, 100, CONTAINERS);
      double seconds = (System.nanoTime() - began) / 1e9;
      long after = memory(daemon.pid());
      awake.await(2 * CONTAINERS);
      assertThat(awake.inOrder()).isEqualTo(CONTAINERS);
      asleep.wake();
      asleep.awaitAllOrLoss(2 * CONTAINERS);
      System.out.printf(
          "%d containers made and removed in %.1f s with a sleeping reader, which got %d events and"
              + " then %s; the daemon's memory changed by %.1f MB%n",
          CONTAINERS, seconds, asleep.count(), asleep.end(), (after - before) / 1048576.0);
      // All, or some and then the word that the rest is lost: never a gap that is not told.
      if (asleep.count() < 2 * CONTAINERS) {
        assertThat(asleep.end().getCode()).isEqualTo(Status.Code.DATA_LOSS);
        assertThat(asleep.end().getDescription()).contains("missed");
      }
      asleep.inOrder();
      assertThat(after - before).isLessThan(64 << 20);
      awake.cancel();
      asleep.cancel();
    }
  }

  private static void makeAndRemove(
      Cri cri, PodSandboxConfig pod, String podId, String image, int from, int count)
      throws Exception {
    List<Future<?>> work = new ArrayList<>();
    try (ExecutorService executor = Executors.newFixedThreadPool(WORKERS)) {
      for (int w = 0; w < WORKERS; w++) {
        int first = from + w;
        work.add(
            executor.submit(
                () -> {
                  for (int i = first; i < from + count; i += WORKERS) {
                    String id =
                        cri.create(podId, pod, Cri.container("c" + i, image, "true").build());
                    cri.runtime()
                        .removeContainer(
                            RemoveContainerRequest.newBuilder().setContainerId(id).build());
                  }
                }));
      }
    }
    for (Future<?> one : work) {
      one.get();
    }
  }

  private static long memory(long pid) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc", Long.toString(pid), "status"))) {
      if (line.startsWith("RssAnon:")) {
        return Long.parseLong(line.replaceAll("\\D", "")) << 10;
      }
    }
    throw new IOException("no RssAnon of " + pid);
  }

  /** Follows GetContainerEvents; one that sleeps asks for no message. */
  private static final class Reader extends ClientCall.Listener<ContainerEventResponse> {
    private final ClientCall<GetEventsRequest, ContainerEventResponse> call;
    private final boolean awake;
    private final List<ContainerEventResponse> events = new ArrayList<>();
    private final CountDownLatch ended = new CountDownLatch(1);
    private Status end = Status.OK;
    private boolean woken;

    private Reader(ClientCall<GetEventsRequest, ContainerEventResponse> call, boolean awake) {
      this.call = call;
      this.awake = awake;
    }

    static Reader of(Cri cri, boolean awake) {
      ClientCall<GetEventsRequest, ContainerEventResponse> call =
          cri.call(RuntimeServiceGrpc.getGetContainerEventsMethod());
      Reader reader = new Reader(call, awake);
      call.start(reader, new Metadata());
      if (awake) {
        call.request(1);
      }
      call.sendMessage(GetEventsRequest.getDefaultInstance());
      call.halfClose();
      return reader;
    }

    /** The daemon does not tell when it has begun to listen. */
    void listening() {
      Daemon.sleep(1000);
    }

    synchronized void wake() {
      woken = true;
      call.request(1);
    }

    void cancel() {
      call.cancel("read enough", null);
    }

    @Override
    public void onMessage(ContainerEventResponse event) {
      synchronized (this) {
        events.add(event);
        notifyAll();
        if (awake || woken) {
          call.request(1);
        }
      }
    }

    @Override
    public synchronized void onClose(Status status, Metadata trailers) {
      end = status;
      ended.countDown();
      notifyAll();
    }

    synchronized int count() {
      return events.size();
    }

    synchronized Status end() {
      return end;
    }

    synchronized void await(int count) throws InterruptedException {
      long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
      while (events.size() < count && ended.getCount() > 0) {
        assertThat(System.nanoTime()).as("%d of %d", events.size(), count).isLessThan(until);
        wait(1000);
      }
      assertThat(events.size()).as("%s", end).isGreaterThanOrEqualTo(count);
    }

    synchronized void awaitAllOrLoss(int count) throws InterruptedException {
      long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
      while (events.size() < count && ended.getCount() > 0) {
        assertThat(System.nanoTime()).as("%d of %d", events.size(), count).isLessThan(until);
        wait(1000);
      }
    }

    /** How many containers were told of from creation to removal; no order but that may be. */
    synchronized int inOrder() {
      Map<String, ContainerEventType> last = new HashMap<>();
      int whole = 0;
      for (ContainerEventResponse event : events) {
        ContainerEventType before = last.put(event.getContainerId(), event.getContainerEventType());
        switch (event.getContainerEventType()) {
          case CONTAINER_CREATED_EVENT -> assertThat(before).isNull();
          case CONTAINER_DELETED_EVENT -> {
            assertThat(before).isEqualTo(ContainerEventType.CONTAINER_CREATED_EVENT);
            whole++;
          }
          default -> throw new AssertionError("unexpected " + event.getContainerEventType());
        }
      }
      return whole;
    }
  }
}
