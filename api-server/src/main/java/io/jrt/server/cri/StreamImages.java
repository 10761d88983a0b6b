package io.jrt.server.cri;

import io.grpc.stub.StreamObserver;
import io.jrt.cri.v1.StreamImagesRequest;
import io.jrt.cri.v1.StreamImagesResponse;
import io.jrt.server.image.Images;
import io.jrt.server.rpc.Answers;

/** The images that are here. In pieces. */
final class StreamImages {
  private final Images images;

  StreamImages(Images images) {
    this.images = images;
  }

  void handle(StreamImagesRequest request, StreamObserver<StreamImagesResponse> client) {
    Answers.chunks(
        client,
        images.list(request.getFilter().getImage().getImage()).stream()
            .map(ImageTranslation::toCri)
            .toList(),
        items -> StreamImagesResponse.newBuilder().addAllImages(items).build());
  }
}
