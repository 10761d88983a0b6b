package io.jrt.volumes;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;

/** The layout of a tar header (POSIX ustar, {@code pax(1)}). */
final class TarFormat {
  static final int BLOCK = 512;

  static final int NAME = 0;
  static final int NAME_LENGTH = 100;
  static final int MODE = 100;
  static final int UID = 108;
  static final int GID = 116;
  static final int SIZE = 124;
  static final int SIZE_LENGTH = 12;
  static final int MTIME = 136;
  static final int CHECKSUM = 148;
  static final int TYPE = 156;
  static final int LINK = 157;
  static final int MAGIC = 257;
  static final int MAJOR = 329;
  static final int MINOR = 337;
  static final int PREFIX = 345;
  static final int PREFIX_LENGTH = 155;

  static final char REGULAR = '0';
  static final char HARD_LINK = '1';
  static final char SYMLINK = '2';
  static final char CHARACTER_DEVICE = '3';
  static final char BLOCK_DEVICE = '4';
  static final char DIRECTORY = '5';
  static final char FIFO = '6';
  static final char CONTIGUOUS = '7';
  static final char PAX = 'x';
  static final char PAX_GLOBAL = 'g';
  static final char GNU_LONG_NAME = 'L';
  static final char GNU_LONG_LINK = 'K';

  static final String XATTR_PREFIX = "SCHILY.xattr.";

  private TarFormat() {}

  static long padded(long size) {
    return (size + BLOCK - 1) / BLOCK * BLOCK;
  }

  /** The sum of all bytes, the checksum field itself taken as blanks. */
  static int checksum(byte[] header) {
    int sum = 0;
    for (int i = 0; i < BLOCK; i++) {
      sum += i >= CHECKSUM && i < CHECKSUM + 8 ? ' ' : header[i] & 0xff;
    }
    return sum;
  }

  static JrtException malformed(String message) {
    return new JrtException(ErrorKind.INVALID, "read tar", "tar stream: " + message);
  }
}
