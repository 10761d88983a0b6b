package io.jrt.image.store;

import io.jrt.image.Digest;

/**
 * A layer that is unpacked and complete; written beside it as layer.json.
 *
 * @param chainId of the layer and all below it; names its directory
 * @param diffId digest of its tar
 * @param digest of the compressed layer it was unpacked from
 * @param size compressed bytes
 * @param bytes on the disk, by whole blocks
 * @param inodes files and directories
 * @param opaqueRoot whether it hides all layers below it
 */
record LayerRecord(
    String chainId,
    String diffId,
    String digest,
    long size,
    long bytes,
    long inodes,
    boolean opaqueRoot) {

  String hex() {
    return Digest.parse(chainId).hex();
  }
}
