package io.jrt.image;

/**
 * Where one layer of a pull stands.
 *
 * @param digest of the compressed layer
 * @param phase what happens to it
 * @param size compressed bytes
 * @param fetched compressed bytes that are here
 * @param unpacked uncompressed bytes that were written
 */
public record LayerProgress(String digest, Phase phase, long size, long fetched, long unpacked) {

  /** What happens to a layer. */
  public enum Phase {
    /** Waits for its turn among the layers of the node. */
    WAITING,
    /** Another pull fetches the same layer; this one waits for it. */
    SHARED,
    /** Is fetched and unpacked, both at once. */
    FETCHING,
    /** Is brought to the disk. */
    COMMITTING,
    /** Was here before this pull. */
    PRESENT,
    /** Is here. */
    DONE
  }
}
