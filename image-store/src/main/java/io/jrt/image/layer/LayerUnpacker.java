package io.jrt.image.layer;

import com.github.luben.zstd.ZstdIOException;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Digest;
import io.jrt.linux.Fd;
import io.jrt.linux.Files;
import io.jrt.linux.Threads;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.function.LongConsumer;
import java.util.zip.ZipException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns the compressed bytes of a layer into a directory in one pass: one thread hashes and
 * inflates, the caller's hashes the tar and writes the files.
 */
public final class LayerUnpacker {
  private static final Logger LOG = LoggerFactory.getLogger(LayerUnpacker.class);

  /** Name of the layer's root below its directory. */
  public static final String ROOT = "fs";

  /** Name of the list of files below the layer's directory. */
  public static final String INDEX = "tree";

  private static final int BLOCKS = 6;
  private static final int BLOCK_SIZE = 256 << 10;
  private static final long DRAIN_LIMIT = 64L << 20;

  private final Files files;
  private final LayerLimits limits;

  public LayerUnpacker(Files files, LayerLimits limits) {
    this.files = files;
    this.limits = limits;
  }

  /**
   * A layer that is written but not completed by what lies below it.
   *
   * @param bytes on the disk, by whole blocks
   * @param inodes files and directories
   * @param tarSize uncompressed bytes
   * @param opaqueRoot whether it hides all layers below
   */
  public record Unpacked(
      long bytes, long inodes, long tarSize, boolean opaqueRoot, LayerFinisher finisher) {}

  /**
   * Unpacks into a directory that is empty.
   *
   * @param compressed is read to its end and closed
   * @param digest of the compressed bytes
   * @param size of the compressed bytes
   * @param diffId digest of the tar
   * @param written is told how many bytes of the tar were written so far; may throw to stop
   * @throws JrtException DATA_LOSS when the bytes are not those of the digest, INVALID when they
   *     are and the layer is wrong
   */
  public Unpacked unpack(
      InputStream compressed,
      Digest digest,
      long size,
      Digest diffId,
      Path directory,
      LongConsumer written) {
    files.mkdirat(Fd.CWD, directory.resolve(ROOT).toString(), 0755);
    var source = new VerifiedStream(compressed, digest, size);
    try (source;
        var pipe = new BlockPipe(BLOCKS, BLOCK_SIZE);
        Fd root = files.openDirectory(directory.resolve(ROOT));
        var writer = new LayerWriter(files, root, directory.resolve(INDEX), limits)) {
      files.fchmod(root, 0755);
      Thread inflating =
          Threads.start(
              Thread.ofPlatform()
                  .name("jrt-inflate")
                  .daemon()
                  .unstarted(() -> inflate(source, pipe)));
      try {
        var tar = new CountedTar(pipe, diffId, size, written);
        var reader = new TarReader(tar);
        writer.apply(reader);
        reader.drain();
        join(inflating);
        source.verify();
        tar.verify();
        return new Unpacked(
            writer.bytes(),
            writer.inodes(),
            tar.count,
            writer.opaqueRoot(),
            new LayerFinisher(files, directory.resolve(ROOT), writer.unfinished()));
      } catch (IOException | RuntimeException e) {
        pipe.stop();
        join(inflating);
        throw explained(e, source);
      } finally {
        // The other thread writes into the pipe's memory: it must have ended, whatever happened.
        pipe.stop();
        join(inflating);
      }
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.INTERNAL, "unpack layer", "layer " + digest + " cannot be written", e);
    }
  }

  private static void inflate(VerifiedStream source, BlockPipe pipe) {
    var blocks = new Inflated(source);
    pipe.pump(blocks::fill);
    blocks.close();
  }

  /** The uncompressed bytes, block by block. */
  private static final class Inflated {
    private final InputStream source;
    private @Nullable InputStream inflated;
    private byte[] buffer = new byte[0];

    Inflated(InputStream source) {
      this.source = new Unclosed(source);
    }

    void fill(ByteBuffer block) throws IOException {
      if (inflated == null) {
        inflated = Decompression.of(source);
      }
      while (block.hasRemaining()) {
        int count = inflated instanceof GzipStream gzip ? gzip.read(block) : copy(inflated, block);
        if (count < 0) {
          break;
        }
      }
    }

    private int copy(InputStream from, ByteBuffer block) throws IOException {
      if (buffer.length == 0) {
        buffer = new byte[BLOCK_SIZE / 2];
      }
      int count = from.read(buffer, 0, Math.min(buffer.length, block.remaining()));
      block.put(buffer, 0, Math.max(0, count));
      return count;
    }

    /** Frees the decoder's native memory; the source stays open. */
    void close() {
      if (inflated != null) {
        try {
          inflated.close();
        } catch (IOException e) {
          LOG.debug("a decoder was not closed", e);
        }
      }
    }
  }

  /** A stream whose end is not the business of who reads it. */
  private static final class Unclosed extends FilterInputStream {
    Unclosed(InputStream in) {
      super(in);
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      return in.read(buffer, offset, length);
    }

    @Override
    public void close() {
      // The source is closed by who opened it.
    }
  }

  /**
   * Bytes that cannot be read are either not those of the digest (fetched wrong: try again) or the
   * image is wrong (give up): the digest of all of them tells.
   */
  private static RuntimeException explained(Exception e, VerifiedStream source) {
    boolean unreadable =
        e instanceof ZipException
            || e instanceof ZstdIOException
            || e instanceof EOFException
            || e.getCause() instanceof ZipException
            || e.getCause() instanceof ZstdIOException
            || e.getCause() instanceof EOFException
            || (e instanceof JrtException known && known.kind() == ErrorKind.INVALID);
    if (unreadable && source.left() < DRAIN_LIMIT) {
      try {
        source.drain();
        source.verify();
      } catch (IOException | RuntimeException worse) {
        worse.addSuppressed(e);
        return worse instanceof RuntimeException known
            ? known
            : new JrtException(
                ErrorKind.UNAVAILABLE, "fetch layer", "a layer could not be read", worse);
      }
    }
    if (e instanceof RuntimeException known) {
      return known;
    }
    return new JrtException(
        unreadable ? ErrorKind.INVALID : ErrorKind.UNAVAILABLE,
        "unpack layer",
        "a layer cannot be read: " + e.getMessage(),
        e);
  }

  private static void join(Thread thread) {
    boolean interrupted = false;
    while (true) {
      try {
        thread.join();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
        thread.interrupt();
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** The tar as it comes out of the pipe: hashed, counted, limited. */
  private final class CountedTar extends TarReader.Source {
    private static final long STEP = 1L << 20;

    private final BlockPipe pipe;
    private final Digest diffId;
    private final long compressedSize;
    private final LongConsumer written;
    private final MessageDigest hash;
    private ByteBuffer block = ByteBuffer.allocate(0);
    private long count;
    private long told;

    CountedTar(BlockPipe pipe, Digest diffId, long compressedSize, LongConsumer written) {
      this.pipe = pipe;
      this.diffId = diffId;
      this.compressedSize = compressedSize;
      this.written = written;
      this.hash = diffId.newHash();
    }

    @Override
    public int read() throws IOException {
      return hasMore() ? block.get() & 0xff : -1;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      if (!hasMore()) {
        return -1;
      }
      int got = Math.min(length, block.remaining());
      block.get(buffer, offset, got);
      return got;
    }

    @Override
    @Nullable ByteBuffer piece(int most) throws IOException {
      if (!hasMore()) {
        return null;
      }
      int size = Math.min(most, block.remaining());
      ByteBuffer piece = block.slice(block.position(), size);
      block.position(block.position() + size);
      return piece;
    }

    @Override
    public long skip(long wanted) throws IOException {
      if (!hasMore()) {
        return 0;
      }
      int size = (int) Math.min(wanted, block.remaining());
      block.position(block.position() + size);
      return size;
    }

    private boolean hasMore() throws IOException {
      if (block.hasRemaining()) {
        return true;
      }
      ByteBuffer next = pipe.take();
      if (next == null) {
        return false;
      }
      block = next;
      count += block.remaining();
      limits.checkBytes(count, compressedSize);
      hash.update(block.duplicate());
      if (count - told >= STEP) {
        told = count;
        written.accept(count);
      }
      return true;
    }

    void verify() {
      byte[] found = hash.digest();
      if (!diffId.matches(found)) {
        throw new JrtException(
            ErrorKind.INVALID,
            "verify layer",
            "a layer has the diff id "
                + Digest.ofSha256(found)
                + ", not the "
                + diffId
                + " of the configuration");
      }
      written.accept(count);
    }
  }
}
