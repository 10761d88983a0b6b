package io.jrt.linux;

/** One name in a directory, and the type the listing gives for it. */
public record DirectoryEntry(FileName name, long inode, FileType type) {}
