package io.jrt.server.admin;

import io.grpc.stub.StreamObserver;
import io.jrt.admin.v1.LayerPhase;
import io.jrt.admin.v1.LayerProgress;
import io.jrt.admin.v1.PullPhase;
import io.jrt.admin.v1.PullProgress;
import io.jrt.admin.v1.PullRequest;
import io.jrt.admin.v1.PullResponse;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Image;
import io.jrt.image.Platform;
import io.jrt.image.RegistryAuth;
import io.jrt.server.image.Images;
import io.jrt.server.rpc.Answers;
import io.jrt.server.rpc.Sink;
import java.util.List;

/** Fetches an image and tells how it goes on. */
final class Pull {
  private final Images images;

  Pull(Images images) {
    this.images = images;
  }

  void handle(PullRequest request, StreamObserver<PullResponse> client) {
    if (request.getImage().isEmpty()) {
      throw new JrtException(ErrorKind.INVALID, "read request", "image is missing");
    }
    Platform platform =
        request.getPlatform().isEmpty() ? Platform.host() : platform(request.getPlatform());
    RegistryAuth auth =
        request.getUsername().isEmpty()
            ? RegistryAuth.NONE
            : RegistryAuth.basic(request.getUsername(), request.getPassword());
    var wanted = new io.jrt.image.PullRequest(request.getImage(), auth, platform);
    Answers.stream(client, sink -> run(wanted, sink));
  }

  private static Platform platform(String text) {
    List<String> parts = List.of(text.split("/", -1));
    if (parts.size() < 2 || parts.size() > 3 || parts.contains("")) {
      throw new JrtException(
          ErrorKind.INVALID,
          "read request",
          "platform " + text + " is not like linux/arm64 or linux/arm/v7");
    }
    return Platform.of(parts.get(0), parts.get(1), parts.size() == 3 ? parts.get(2) : "");
  }

  private void run(io.jrt.image.PullRequest wanted, Sink<PullResponse> sink) {
    // A slow client gets only some of the steps: the pull must not wait for it.
    Image image =
        images.pull(
            wanted,
            progress ->
                sink.offer(PullResponse.newBuilder().setProgress(progress(progress)).build()));
    sink.send(PullResponse.newBuilder().setResult(Results.of(image)).build());
  }

  static PullProgress progress(io.jrt.image.PullProgress progress) {
    return PullProgress.newBuilder()
        .setReference(progress.reference())
        .setPhase(
            switch (progress.phase()) {
              case QUEUED -> PullPhase.PULL_PHASE_QUEUED;
              case RESOLVING -> PullPhase.PULL_PHASE_RESOLVING;
              case CHECKING -> PullPhase.PULL_PHASE_CHECKING;
              case FETCHING -> PullPhase.PULL_PHASE_FETCHING;
              case COMMITTING -> PullPhase.PULL_PHASE_COMMITTING;
              case DONE -> PullPhase.PULL_PHASE_DONE;
              case FAILED -> PullPhase.PULL_PHASE_FAILED;
            })
        .addAllLayers(progress.layers().stream().map(Pull::layer).toList())
        .setDetail(progress.detail())
        .setBytesPerSecond(progress.bytesPerSecond())
        .build();
  }

  private static LayerProgress layer(io.jrt.image.LayerProgress layer) {
    return LayerProgress.newBuilder()
        .setDigest(layer.digest())
        .setPhase(
            switch (layer.phase()) {
              case WAITING -> LayerPhase.LAYER_PHASE_WAITING;
              case SHARED -> LayerPhase.LAYER_PHASE_SHARED;
              case FETCHING -> LayerPhase.LAYER_PHASE_FETCHING;
              case COMMITTING -> LayerPhase.LAYER_PHASE_COMMITTING;
              case PRESENT -> LayerPhase.LAYER_PHASE_PRESENT;
              case DONE -> LayerPhase.LAYER_PHASE_DONE;
            })
        .setBytes(layer.fetched())
        .setTotal(layer.size())
        .setUnpacked(layer.unpacked())
        .build();
  }
}
