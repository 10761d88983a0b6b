package io.jrt.cli;

import com.google.protobuf.MessageOrBuilder;
import java.io.PrintStream;
import java.util.List;

/**
 * What a command works with.
 *
 * @param daemon the daemon
 * @param format how answers are written
 * @param out standard output
 * @param err standard error
 */
record Session(Daemon daemon, Format format, PrintStream out, PrintStream err) {
  /** How answers are written. */
  enum Format {
    TABLE,
    JSON,
    YAML
  }

  boolean forPeople() {
    return format == Format.TABLE;
  }

  /** Writes an answer as a document, for programs. */
  void print(MessageOrBuilder message) {
    out.print(format == Format.YAML ? Document.of(message).yaml() : Document.of(message).json());
  }

  /** Writes a JSON document as it is or as YAML. */
  void printJson(String json) {
    if (format == Format.YAML) {
      out.print(Document.parse(json).yaml());
    } else {
      out.print(Document.parse(json).json());
    }
  }

  void print(Table table) {
    out.print(table.text());
  }

  /** The table, or what {@code --format} makes of it. */
  void print(Table table, Arguments arguments) {
    out.print(arguments.value("format").map(table::text).orElseGet(table::text));
  }

  void lines(List<String> lines) {
    lines.forEach(out::println);
  }
}
