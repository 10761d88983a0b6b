package io.jrt.linux;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Path;

/** An open file, or a directory that is open to be synced, of a {@link SimulatedDisk}. */
final class SimulatedChannel extends FileChannel {
  private final SimulatedDisk disk;
  private final Path path;
  private final SimulatedDisk.Node node;
  private final boolean writable;
  private final boolean append;
  private int position;

  SimulatedChannel(
      SimulatedDisk disk, Path path, SimulatedDisk.Node node, boolean writable, boolean append) {
    this.disk = disk;
    this.path = path;
    this.node = node;
    this.writable = writable;
    this.append = append;
  }

  private SimulatedDisk.Data data() throws IOException {
    return switch (node) {
      case SimulatedDisk.Data data -> data;
      case SimulatedDisk.Directory _ ->
          throw new FileSystemException(path.toString(), null, "Is a directory");
    };
  }

  @Override
  public int read(ByteBuffer into) throws IOException {
    int count = read(into, position);
    position += Math.max(0, count);
    return count;
  }

  @Override
  public int read(ByteBuffer into, long from) throws IOException {
    byte[] bytes = disk.read(data());
    if (from >= bytes.length) {
      return -1;
    }
    int count = Math.min(into.remaining(), bytes.length - (int) from);
    into.put(bytes, (int) from, count);
    return count;
  }

  @Override
  public int write(ByteBuffer from) throws IOException {
    position = append ? (int) size() : position;
    int count = write(from, position);
    position += count;
    return count;
  }

  @Override
  public int write(ByteBuffer from, long at) throws IOException {
    if (!writable) {
      throw new NonWritableChannelException();
    }
    // In pieces, as the kernel may: the power may go between any two.
    byte[] piece = new byte[Math.min(from.remaining(), 48)];
    from.get(piece);
    disk.write(path, data(), piece, (int) at);
    return piece.length;
  }

  @Override
  public long read(ByteBuffer[] into, int offset, int length) {
    throw new UnsupportedOperationException();
  }

  @Override
  public long write(ByteBuffer[] from, int offset, int length) {
    throw new UnsupportedOperationException();
  }

  @Override
  public long position() {
    return position;
  }

  @Override
  public FileChannel position(long to) {
    position = (int) to;
    return this;
  }

  @Override
  public long size() throws IOException {
    return disk.read(data()).length;
  }

  @Override
  public FileChannel truncate(long size) throws IOException {
    disk.truncate(path, data(), (int) size);
    return this;
  }

  @Override
  public void force(boolean metadata) throws IOException {
    disk.sync(path, node);
  }

  @Override
  public long transferTo(long from, long count, WritableByteChannel target) {
    throw new UnsupportedOperationException();
  }

  @Override
  public long transferFrom(ReadableByteChannel source, long at, long count) {
    throw new UnsupportedOperationException();
  }

  @Override
  public MappedByteBuffer map(MapMode mode, long from, long size) {
    throw new UnsupportedOperationException();
  }

  @Override
  public FileLock lock(long from, long size, boolean shared) {
    throw new UnsupportedOperationException();
  }

  @Override
  public FileLock tryLock(long from, long size, boolean shared) {
    throw new UnsupportedOperationException();
  }

  @Override
  protected void implCloseChannel() {}
}
