package io.jrt.cli;

import java.util.ArrayList;
import java.util.List;

/** Rows under a heading, in columns as wide as their widest cell, two spaces apart. */
final class Table {
  private final List<String> heading;
  private final List<List<String>> rows = new ArrayList<>();

  Table(String... heading) {
    this.heading = List.of(heading);
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
