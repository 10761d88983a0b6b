package io.jrt.server.streaming;

import io.jrt.core.ExecRequest;
import io.jrt.core.io.AttachRequest;
import java.util.List;

/** What a token stands for. */
sealed interface StreamRequest {

  /** The first part of its URL's path. */
  String verb();

  /** One of the two that speak the remotecommand protocols. */
  sealed interface Command extends StreamRequest {
    boolean stdin();

    boolean stdout();

    boolean stderr();

    boolean tty();
  }

  /** Run a command. */
  record Exec(String containerId, ExecRequest request) implements Command {
    @Override
    public String verb() {
      return "exec";
    }

    @Override
    public boolean stdin() {
      return request.stdin();
    }

    @Override
    public boolean stdout() {
      return request.stdout();
    }

    @Override
    public boolean stderr() {
      return request.stderr();
    }

    @Override
    public boolean tty() {
      return request.tty();
    }
  }

  /** Join a container's streams. */
  record Attach(String containerId, AttachRequest request, boolean tty) implements Command {
    @Override
    public String verb() {
      return "attach";
    }

    @Override
    public boolean stdin() {
      return request.stdin();
    }

    @Override
    public boolean stdout() {
      return request.stdout();
    }

    @Override
    public boolean stderr() {
      return request.stderr();
    }
  }

  /** Reach ports of a pod. */
  record PortForward(String podId, List<Integer> ports) implements StreamRequest {
    public PortForward {
      ports = List.copyOf(ports);
    }

    @Override
    public String verb() {
      return "portforward";
    }
  }
}
