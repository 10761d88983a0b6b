package io.jrt.cli;

import io.jrt.cri.v1.Image;
import io.jrt.cri.v1.ListImagesRequest;
import io.jrt.cri.v1.ListImagesResponse;
import java.io.IOException;
import java.util.List;

/** {@code jrt images}. */
final class ImagesCommand implements Command {
  @Override
  public Spec spec() {
    return Spec.of(
        "images",
        "[NAME]",
        "list images",
        List.of(
            Flag.toggle('q', "quiet", "ids only"),
            Table.FORMAT,
            Flag.toggle("digests", "show digests"),
            Flag.toggle("no-trunc", "whole ids")),
        "images --digests");
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    ListImagesResponse answer =
        session
            .daemon()
            .images(
                "ListImages", ListImagesRequest.getDefaultInstance(), ListImagesResponse.parser());
    List<Image> images =
        answer.getImagesList().stream()
            .filter(
                image ->
                    arguments.rest().isEmpty()
                        || image.getRepoTagsList().stream()
                            .anyMatch(tag -> tag.contains(arguments.rest().getFirst())))
            .toList();
    if (arguments.has("quiet")) {
      session.lines(images.stream().map(image -> id(image, arguments)).toList());
      return 0;
    }
    if (!session.forPeople()) {
      session.print(ListImagesResponse.newBuilder().addAllImages(images).build());
      return 0;
    }
    boolean digests = arguments.has("digests");
    Table table =
        digests
            ? new Table("IMAGE", "TAG", "DIGEST", "ID", "SIZE")
            : new Table("IMAGE", "TAG", "ID", "SIZE");
    for (Image image : images) {
      List<String> tags =
          image.getRepoTagsCount() > 0 ? image.getRepoTagsList() : List.of("<none>:<none>");
      for (String tag : tags) {
        int colon = tag.lastIndexOf(':');
        String repository = tag.substring(0, colon);
        if (repository.equals("<none>") && image.getRepoDigestsCount() > 0) {
          repository = image.getRepoDigests(0).replaceFirst("@.*", "");
        }
        String size = Words.size(image.getSize());
        if (digests) {
          String digest =
              image.getRepoDigestsList().stream()
                  .findFirst()
                  .map(d -> d.replaceFirst(".*@", ""))
                  .orElse("<none>");
          table.row(repository, tag.substring(colon + 1), digest, id(image, arguments), size);
        } else {
          table.row(repository, tag.substring(colon + 1), id(image, arguments), size);
        }
      }
    }
    session.print(table, arguments);
    return 0;
  }

  private static String id(Image image, Arguments arguments) {
    return arguments.has("no-trunc") ? image.getId() : Words.shortId(image.getId());
  }
}
