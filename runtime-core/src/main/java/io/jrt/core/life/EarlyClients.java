package io.jrt.core.life;

import io.jrt.core.TerminalSize;
import io.jrt.core.io.AttachRequest;
import io.jrt.core.io.ContainerIo;
import io.jrt.core.io.StreamClient;
import io.jrt.core.io.StreamSession;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Clients that attach to a container before it starts, so that they see its first byte.
 *
 * <p>Life: clients wait here until the container's streams are served ({@link #join}, before a byte
 * is read) or it will never run ({@link #drop}); from then on none is taken.
 */
final class EarlyClients {
  private final List<EarlySession> waiting = new ArrayList<>();
  private boolean over;

  /** Takes a client; empty when it is too late to wait. */
  synchronized Optional<StreamSession> add(AttachRequest request, StreamClient client) {
    if (over) {
      return Optional.empty();
    }
    EarlySession session = new EarlySession(request, client);
    waiting.add(session);
    return Optional.of(session);
  }

  /** The size of the first window that is known. */
  synchronized Optional<TerminalSize> terminalSize() {
    return waiting.stream().flatMap(session -> session.size().stream()).findFirst();
  }

  /** Joins all that wait to the streams. */
  void join(ContainerIo io) {
    close().forEach(session -> session.join(io));
  }

  /** Sends all that wait away. */
  void drop(String reason) {
    close().forEach(session -> session.drop(reason));
  }

  private synchronized List<EarlySession> close() {
    over = true;
    List<EarlySession> all = List.copyOf(waiting);
    waiting.clear();
    return all;
  }
}
