package io.jrt.network;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;

/**
 * Which pod sandbox a network call is about.
 *
 * @param sandboxId the id jrt gave the sandbox; names its addresses, interfaces and rules
 * @param name the pod's name, "" where there is none
 * @param namespace the pod's Kubernetes namespace, "" where there is none
 * @param uid the pod's Kubernetes uid, "" where there is none
 */
public record PodRef(String sandboxId, String name, String namespace, String uid) {
  public PodRef {
    // The id becomes part of file names and of CNI_CONTAINERID; CNI's own rule for ids is taken.
    if (!sandboxId.matches("[a-zA-Z0-9][a-zA-Z0-9_.\\-]{0,255}")) {
      throw new JrtException(
          ErrorKind.INVALID, "attach network", "sandbox id \"" + sandboxId + "\" is not a name");
    }
  }

  @Override
  public String toString() {
    return name.isEmpty() ? sandboxId : namespace + "/" + name + " (" + sandboxId + ")";
  }
}
