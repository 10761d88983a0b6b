package io.jrt.server.config;

import java.lang.reflect.RecordComponent;

/** Which components are tables of the file, and which are values. */
final class Section {
  private Section() {}

  static boolean is(RecordComponent component) {
    return component.getType().isRecord() && component.getType() != ByteSize.class;
  }
}
