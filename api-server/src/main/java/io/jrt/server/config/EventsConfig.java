package io.jrt.server.config;

/** What is remembered of what happened. */
public record EventsConfig(
    @Doc("Events kept in memory for readers that come late or are slow.") int replay,
    @Doc("Bytes of each of the two files of events on disk.") ByteSize journalSize) {

  public static final EventsConfig DEFAULT = new EventsConfig(4096, ByteSize.ofMebibytes(8));
}
