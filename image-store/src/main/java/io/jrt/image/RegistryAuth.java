package io.jrt.image;

/**
 * Credentials that came with a pull (CRI AuthConfig). Fields that were not given are empty.
 *
 * @param username user name
 * @param password password of that user
 * @param auth base64 of {@code user:password}, used when username is empty
 * @param serverAddress the registry these are for; they are not sent to another one
 * @param identityToken refresh token to get a registry token with
 * @param registryToken bearer token to send as it is
 */
public record RegistryAuth(
    String username,
    String password,
    String auth,
    String serverAddress,
    String identityToken,
    String registryToken) {

  /** No credentials. */
  public static final RegistryAuth NONE = new RegistryAuth("", "", "", "", "", "");

  public static RegistryAuth basic(String username, String password) {
    return new RegistryAuth(username, password, "", "", "", "");
  }

  public boolean isEmpty() {
    return username.isEmpty()
        && password.isEmpty()
        && auth.isEmpty()
        && identityToken.isEmpty()
        && registryToken.isEmpty();
  }

  /** Never shows a secret. */
  @Override
  public String toString() {
    return isEmpty() ? "no credentials" : "credentials";
  }
}
