package io.jrt.image;

/**
 * What to fetch.
 *
 * @param reference a name as people write it: {@code busybox}, {@code host:5000/a/b:tag}, {@code
 *     name@sha256:…}
 * @param auth credentials of this request, or {@link RegistryAuth#NONE}; they go before those
 *     configured on the node
 * @param platform which of a multi-platform image
 */
public record PullRequest(String reference, RegistryAuth auth, Platform platform) {

  /** A pull for this machine with the node's own credentials. */
  public static PullRequest of(String reference) {
    return new PullRequest(reference, RegistryAuth.NONE, Platform.host());
  }

  public static PullRequest of(String reference, RegistryAuth auth) {
    return new PullRequest(reference, auth, Platform.host());
  }
}
