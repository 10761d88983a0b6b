package io.jrt.server.cri;

import io.grpc.stub.StreamObserver;
import io.jrt.cri.v1.ImageFsInfoRequest;
import io.jrt.cri.v1.ImageFsInfoResponse;
import io.jrt.cri.v1.ImageServiceGrpc;
import io.jrt.cri.v1.ImageStatusRequest;
import io.jrt.cri.v1.ImageStatusResponse;
import io.jrt.cri.v1.ListImagesRequest;
import io.jrt.cri.v1.ListImagesResponse;
import io.jrt.cri.v1.PullImageRequest;
import io.jrt.cri.v1.PullImageResponse;
import io.jrt.cri.v1.RemoveImageRequest;
import io.jrt.cri.v1.RemoveImageResponse;
import io.jrt.cri.v1.StreamImagesRequest;
import io.jrt.cri.v1.StreamImagesResponse;
import io.jrt.server.image.Images;
import io.jrt.server.rpc.Answers;

/** The switchboard of CRI's ImageService: each call goes to the class of its name. */
public final class ImageServiceSwitchboard extends ImageServiceGrpc.ImageServiceImplBase {
  private final ListImages listImages;
  private final StreamImages streamImages;
  private final ImageStatus imageStatus;
  private final PullImage pullImage;
  private final RemoveImage removeImage;
  private final ImageFsInfo imageFsInfo;

  public ImageServiceSwitchboard(Images images) {
    this.listImages = new ListImages(images);
    this.streamImages = new StreamImages(images);
    this.imageStatus = new ImageStatus(images);
    this.pullImage = new PullImage(images);
    this.removeImage = new RemoveImage(images);
    this.imageFsInfo = new ImageFsInfo(images);
  }

  @Override
  public void listImages(ListImagesRequest request, StreamObserver<ListImagesResponse> client) {
    Answers.one(client, listImages.handle(request));
  }

  @Override
  public void streamImages(
      StreamImagesRequest request, StreamObserver<StreamImagesResponse> client) {
    streamImages.handle(request, client);
  }

  @Override
  public void imageStatus(ImageStatusRequest request, StreamObserver<ImageStatusResponse> client) {
    Answers.one(client, imageStatus.handle(request));
  }

  @Override
  public void pullImage(PullImageRequest request, StreamObserver<PullImageResponse> client) {
    Answers.one(client, pullImage.handle(request));
  }

  @Override
  public void removeImage(RemoveImageRequest request, StreamObserver<RemoveImageResponse> client) {
    Answers.one(client, removeImage.handle(request));
  }

  @Override
  public void imageFsInfo(ImageFsInfoRequest request, StreamObserver<ImageFsInfoResponse> client) {
    Answers.one(client, imageFsInfo.handle(request));
  }
}
