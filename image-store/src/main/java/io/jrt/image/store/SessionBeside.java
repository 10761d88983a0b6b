package io.jrt.image.store;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Digest;
import io.jrt.image.ImagePolicy;
import io.jrt.image.content.Descriptor;
import io.jrt.image.content.MediaTypes;
import io.jrt.image.registry.RegistrySession;
import io.jrt.image.registry.Served;
import java.util.ArrayList;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** What a repository has beside an image, asked in the session of its pull. */
record SessionBeside(RegistrySession session) implements ImagePolicy.Beside {
  /** Whoever may push could otherwise make a pull ask for ever. */
  private static final int MAX_REFERRERS = 64;

  @Override
  public Stream<byte[]> attached(Digest subject, String tag) {
    // Who cannot be asked is told of at the end only: what others have may be enough.
    var unanswered = new ArrayList<JrtException>();
    Supplier<Stream<byte[]>> tagged =
        () -> {
          try {
            return session.documentOfTag(tag).stream().map(Served::bytes);
          } catch (JrtException e) {
            if (e.kind() != ErrorKind.UNAVAILABLE) {
              throw e;
            }
            unanswered.add(e);
            return Stream.empty();
          }
        };
    Supplier<Stream<byte[]>> referring =
        () ->
            session.referrers(subject).stream()
                .filter(referrer -> referrer.mediaType().equals(MediaTypes.OCI_MANIFEST))
                .limit(MAX_REFERRERS)
                .flatMap(referrer -> document(referrer).stream());
    Supplier<Stream<byte[]>> rest =
        () -> {
          if (!unanswered.isEmpty()) {
            throw unanswered.getFirst();
          }
          return Stream.empty();
        };
    return Stream.of(tagged, referring, rest).flatMap(Supplier::get);
  }

  private Optional<byte[]> document(Descriptor referrer) {
    try {
      return Optional.of(session.document(referrer).bytes());
    } catch (JrtException e) {
      // One that was listed and is gone says nothing; others may.
      if (e.kind() != ErrorKind.NOT_FOUND && e.kind() != ErrorKind.INVALID) {
        throw e;
      }
      return Optional.empty();
    }
  }

  @Override
  public byte[] blob(Digest digest, long size) {
    return session.blob(Descriptor.of("application/octet-stream", digest, size));
  }
}
