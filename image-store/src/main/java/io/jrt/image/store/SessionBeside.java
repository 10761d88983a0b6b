package io.jrt.image.store;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Digest;
import io.jrt.image.ImagePolicy;
import io.jrt.image.content.Descriptor;
import io.jrt.image.content.MediaTypes;
import io.jrt.image.registry.RegistrySession;
import java.util.ArrayList;
import java.util.List;

/** What a repository has beside an image, asked in the session of its pull. */
record SessionBeside(RegistrySession session) implements ImagePolicy.Beside {
  /** Whoever may push could otherwise make a pull ask for ever. */
  private static final int MAX_REFERRERS = 64;

  @Override
  public List<byte[]> attached(Digest subject, String tag) {
    var found = new ArrayList<byte[]>();
    session.documentOfTag(tag).ifPresent(served -> found.add(served.bytes()));
    int asked = 0;
    for (Descriptor referrer : session.referrers(subject)) {
      if (!referrer.mediaType().equals(MediaTypes.OCI_MANIFEST)) {
        continue;
      }
      if (++asked > MAX_REFERRERS) {
        break;
      }
      try {
        found.add(session.document(referrer).bytes());
      } catch (JrtException e) {
        // One that was listed and is gone says nothing; others may.
        if (e.kind() != ErrorKind.NOT_FOUND && e.kind() != ErrorKind.INVALID) {
          throw e;
        }
      }
    }
    return found;
  }

  @Override
  public byte[] blob(Digest digest, long size) {
    return session.blob(Descriptor.of("application/octet-stream", digest, size));
  }
}
