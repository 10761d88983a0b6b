package io.jrt.linux;

/** What a directory entry is. */
public enum FileType {
  REGULAR(8),
  DIRECTORY(4),
  SYMLINK(10),
  CHARACTER_DEVICE(2),
  BLOCK_DEVICE(6),
  FIFO(1),
  SOCKET(12),
  /** The file system does not tell in its listings; ask {@link Files#fstatat}. */
  UNKNOWN(0);

  private final int direntType;

  FileType(int direntType) {
    this.direntType = direntType;
  }

  /** From the type bits of a mode. */
  public static FileType ofMode(int mode) {
    return ofDirent((mode & FileMode.S_IFMT) >> 12);
  }

  /** From {@code d_type}, whose numbers are the mode's type bits shifted down. */
  static FileType ofDirent(int type) {
    for (FileType candidate : values()) {
      if (candidate.direntType == type) {
        return candidate;
      }
    }
    return UNKNOWN;
  }
}
