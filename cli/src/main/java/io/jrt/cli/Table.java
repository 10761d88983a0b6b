package io.jrt.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Rows under a heading, in columns as wide as their widest cell, two spaces apart. */
final class Table {
  private final List<String> heading;
  private final List<List<String>> rows = new ArrayList<>();

  Table(String... heading) {
    this.heading = List.of(heading);
  }

  /** The option of every command that prints a table. */
  static final Flag FORMAT =
      Flag.option("format", "TEMPLATE", "a line for each, such as '{name} {state}'");

  /** One line for each row: {@code {name}} stands for the cell below NAME. */
  String text(String template) {
    StringBuilder out = new StringBuilder();
    // A wrong template is wrong as well when there is nothing to list.
    line(template, keys());
    for (List<String> row : rows) {
      out.append(line(template, row)).append('\n');
    }
    return out.toString();
  }

  private String line(String template, List<String> cells) {
    StringBuilder out = new StringBuilder();
    int at = 0;
    while (at < template.length()) {
      int open = template.indexOf('{', at);
      int close = template.indexOf('}', Math.max(open, 0));
      if (open < 0 || close < 0) {
        break;
      }
      String key = template.substring(open + 1, close);
      int column = keys().indexOf(key);
      if (column < 0) {
        throw new UsageException("no {" + key + "} here; there are " + String.join(", ", keys()));
      }
      out.append(template, at, open).append(cells.get(column));
      at = close + 1;
    }
    return out.append(template, at, template.length()).toString();
  }

  private List<String> keys() {
    return heading.stream().map(Table::key).toList();
  }

  /** CONTAINER ID and POD ID are {@code id}. */
  private static String key(String heading) {
    return heading.endsWith(" ID") ? "id" : heading.toLowerCase(Locale.ROOT).replace(' ', '-');
  }

  void row(String... cells) {
    if (cells.length != heading.size()) {
      throw new IllegalArgumentException(cells.length + " cells, " + heading.size() + " columns");
    }
    rows.add(List.of(cells));
  }

  String text() {
    int[] widths = new int[heading.size()];
    measure(widths, heading);
    rows.forEach(row -> measure(widths, row));
    StringBuilder out = new StringBuilder();
    line(out, widths, heading);
    rows.forEach(row -> line(out, widths, row));
    return out.toString();
  }

  private static void measure(int[] widths, List<String> row) {
    for (int i = 0; i < widths.length; i++) {
      widths[i] = Math.max(widths[i], row.get(i).length());
    }
  }

  private static void line(StringBuilder out, int[] widths, List<String> row) {
    for (int i = 0; i < widths.length; i++) {
      String cell = row.get(i);
      out.append(cell);
      if (i < widths.length - 1) {
        out.append(" ".repeat(widths[i] - cell.length() + 2));
      }
    }
    while (out.charAt(out.length() - 1) == ' ') {
      out.setLength(out.length() - 1);
    }
    out.append('\n');
  }
}
