package io.jrt.image;

import java.util.stream.Stream;

/**
 * Decides whether an image may come to this node, after its name was resolved and before a byte of
 * its layers is fetched.
 */
public interface ImagePolicy {

  /** What a policy found. */
  sealed interface Verdict {
    /** It may come. */
    record Allowed() implements Verdict {}

    /** It may come, but somebody should know. */
    record Warned(String reason) implements Verdict {}

    /**
     * It must not come.
     *
     * @param signature whether the reason is a missing or wrong signature
     */
    record Denied(String reason, boolean signature) implements Verdict {}
  }

  /**
   * What is known of the image by then.
   *
   * @param reference the full name, with tag or digest
   * @param registry the host that serves it, with port when there is one
   * @param repository the path in the registry
   * @param digest of the manifest or index that the name means
   * @param manifestDigest of the manifest for this platform; equal to digest when there is no index
   */
  record Subject(
      String reference, String registry, String repository, String digest, String manifestDigest) {}

  /** What else the image's repository has; asked with the credentials of the pull. */
  interface Beside {
    /**
     * The manifests that say something about a digest: the one of cosign's tag, and those that name
     * it as their subject. All are of the digest by which they were found. Each is asked for only
     * when it is wanted.
     *
     * @param tag of the older scheme
     */
    Stream<byte[]> attached(Digest subject, String tag);

    /** A small blob, verified. */
    byte[] blob(Digest digest, long size);
  }

  /** Name in messages and configuration. */
  String name();

  /**
   * May ask others over the network; must answer in bounded time.
   *
   * @throws io.jrt.errors.JrtException when it cannot be decided; the image does not come then
   */
  Verdict check(Subject subject, Beside beside);
}
