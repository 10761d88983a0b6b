package io.jrt.image.layer;

import com.github.luben.zstd.ZstdIOException;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Digest;
import io.jrt.linux.Fd;
import io.jrt.linux.Files;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.function.LongConsumer;
import java.util.zip.ZipException;
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
    var pipe = new BlockPipe(BLOCKS, BLOCK_SIZE);
    try (source;
        Fd root = files.openDirectory(directory.resolve(ROOT));
        var writer = new LayerWriter(files, root, directory.resolve(INDEX), limits)) {
      files.fchmod(root, 0755);
      Thread inflating =
          Thread.ofPlatform().name("jrt-inflate").daemon().start(() -> inflate(source, pipe));
      try {
        var tar = new CountedTar(pipe.stream(), diffId, size, written);
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
      }
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.INTERNAL, "unpack layer", "layer " + digest + " cannot be written", e);
    }
  }

  private static void inflate(VerifiedStream source, BlockPipe pipe) {
    var inflated = new InputStream[1];
    pipe.pump(
        block -> {
          if (inflated[0] == null) {
            inflated[0] = Decompression.of(new Unclosed(source));
          }
          int have = inflated[0].readNBytes(block, 0, block.length);
          return have == 0 ? -1 : have;
        });
    if (inflated[0] != null) {
      try {
        // Native memory of the decoder; the source is read on to tell why something failed.
        inflated[0].close();
      } catch (IOException e) {
        LOG.debug("a decoder was not closed", e);
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
  private final class CountedTar extends InputStream {
    private static final long STEP = 1L << 20;

    private final InputStream in;
    private final Digest diffId;
    private final long compressedSize;
    private final LongConsumer written;
    private final MessageDigest hash;
    private long count;
    private long told;

    CountedTar(InputStream in, Digest diffId, long compressedSize, LongConsumer written) {
      this.in = in;
      this.diffId = diffId;
      this.compressedSize = compressedSize;
      this.written = written;
      this.hash = diffId.newHash();
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      int got = in.read(buffer, offset, length);
      if (got > 0) {
        count += got;
        limits.checkBytes(count, compressedSize);
        hash.update(buffer, offset, got);
        if (count - told >= STEP) {
          told = count;
          written.accept(count);
        }
      }
      return got;
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
