package io.jrt.server.nri;

import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import io.jrt.nri.v1alpha1.Event;
import java.time.Duration;

/**
 * One plugin.
 *
 * @param index two digits: its place among the others
 * @param events bit n-1 for event n
 */
record Plugin(String index, String name, int events, PluginLink link, Duration patience)
    implements Comparable<Plugin> {

  /** How it is named in errors and towards other plugins. */
  String fullName() {
    return index + "-" + name;
  }

  boolean wants(Event event) {
    return (events & (1 << (event.getNumber() - 1))) != 0;
  }

  <T> T call(String method, Message request, Parser<T> parser) throws CallFailure {
    return link.call(method, request, parser, patience);
  }

  @Override
  public int compareTo(Plugin other) {
    return fullName().compareTo(other.fullName());
  }
}
