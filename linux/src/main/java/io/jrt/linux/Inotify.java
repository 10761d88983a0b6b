package io.jrt.linux;

import java.nio.file.Path;
import java.util.List;

/** A watch on files and directories by inotify(7). */
public interface Inotify extends AutoCloseable {
  int IN_MODIFY = 0x2;
  int IN_ATTRIB = 0x4;
  int IN_CLOSE_WRITE = 0x8;
  int IN_MOVED_FROM = 0x40;
  int IN_MOVED_TO = 0x80;
  int IN_CREATE = 0x100;
  int IN_DELETE = 0x200;
  int IN_DELETE_SELF = 0x400;
  int IN_MOVE_SELF = 0x800;
  int IN_Q_OVERFLOW = 0x4000;
  int IN_IGNORED = 0x8000;
  int IN_ONLYDIR = 0x1000000;

  /** For a {@link Poller}; non-blocking. */
  Fd fd();

  /** Starts a watch and answers its number. */
  int watch(Path path, int mask);

  void unwatch(int watch);

  /** What happened since the last call; empty when nothing did. */
  List<Change> read();

  @Override
  void close();

  /**
   * @param watch its number; -1 when events were lost ({@code IN_Q_OVERFLOW})
   * @param name of the file in a watched directory, else empty
   */
  record Change(int watch, int mask, String name) {}
}
