package io.jrt.wire;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.NavigableSet;
import java.util.TreeSet;

/**
 * Tables of what goes over a wire, one declaration a line, and compiled descriptors in their words.
 */
public final class WireTable {
  private WireTable() {}

  /** The lines of a table, a resource of the tests. */
  public static NavigableSet<String> read(String name) throws IOException {
    NavigableSet<String> lines = new TreeSet<>();
    try (InputStream in = WireTable.class.getResourceAsStream(name)) {
      assertThat(in).isNotNull();
      new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.startsWith("#"))
          .forEach(lines::add);
    }
    return lines;
  }

  /** What was compiled, in the words of the tables. */
  public static NavigableSet<String> compiled(List<FileDescriptor> files) {
    NavigableSet<String> lines = new TreeSet<>();
    for (FileDescriptor file : files) {
      for (ServiceDescriptor service : file.getServices()) {
        for (MethodDescriptor method : service.getMethods()) {
          lines.add(rpc(method));
        }
      }
      file.getMessageTypes().forEach(message -> message(message, lines));
      file.getEnumTypes().forEach(type -> values(type, lines));
    }
    return lines;
  }

  private static String rpc(MethodDescriptor method) {
    assertThat(method.isClientStreaming()).isFalse();
    return "rpc %s/%s %s %s %s"
        .formatted(
            method.getService().getName(),
            method.getName(),
            method.getInputType().getName(),
            method.getOutputType().getName(),
            method.isServerStreaming() ? "server-stream" : "unary");
  }

  private static void message(Descriptor message, NavigableSet<String> lines) {
    lines.add("message " + message.getName());
    for (FieldDescriptor field : message.getFields()) {
      lines.add(
          "field %s.%s %d %s %s%s%s"
              .formatted(
                  message.getName(),
                  field.getName(),
                  field.getNumber(),
                  type(field),
                  field.isMapField() ? "map" : field.isRepeated() ? "repeated" : "single",
                  field.getOptions().getDeprecated() ? " deprecated" : "",
                  field.getOptions().getDebugRedact() ? " redacted" : ""));
    }
    message.getEnumTypes().forEach(type -> values(type, lines));
  }

  private static void values(EnumDescriptor type, NavigableSet<String> lines) {
    for (EnumValueDescriptor value : type.getValues()) {
      lines.add(
          "value %s.%s %d".formatted(withinPackage(type), value.getName(), value.getNumber()));
    }
  }

  private static String type(FieldDescriptor field) {
    if (field.isMapField()) {
      Descriptor entry = field.getMessageType();
      return "map<%s,%s>"
          .formatted(type(entry.findFieldByName("key")), type(entry.findFieldByName("value")));
    }
    return switch (field.getJavaType()) {
      case MESSAGE -> field.getMessageType().getName();
      case ENUM -> withinPackage(field.getEnumType());
      case INT, LONG, FLOAT, DOUBLE, BOOLEAN, STRING, BYTE_STRING ->
          field.getType().name().toLowerCase(Locale.ROOT);
    };
  }

  private static String withinPackage(EnumDescriptor type) {
    return type.getFullName().substring(type.getFile().getPackage().length() + 1);
  }
}
