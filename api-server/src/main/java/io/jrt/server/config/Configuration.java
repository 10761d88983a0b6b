package io.jrt.server.config;

import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import tools.jackson.databind.node.ObjectNode;

/**
 * The configuration in force, and how it changes: it is read, checked and swapped as a whole, and a
 * bad file leaves the old one in force.
 */
public final class Configuration {
  private final Path file;
  private final boolean required;
  private final UnaryOperator<Config> overrides;
  private final ConfigReader reader = new ConfigReader();
  private final List<Consumer<Config>> listeners = new ArrayList<>();
  private Config current;

  /**
   * What a reload did.
   *
   * @param changed keys that are in force now
   * @param needRestart keys of the file that only the next start puts in force
   */
  public record Reloaded(List<String> changed, List<String> needRestart) {
    public Reloaded {
      changed = List.copyOf(changed);
      needRestart = List.copyOf(needRestart);
    }
  }

  private Configuration(Path file, boolean required, UnaryOperator<Config> overrides) {
    this.file = file;
    this.required = required;
    this.overrides = overrides;
    this.current = overrides.apply(reader.read(file, required));
  }

  /**
   * Reads the file and its drop-ins.
   *
   * @param required whether a missing file is an error
   * @param overrides what the command line sets; it stays in force through reloads
   */
  public static Configuration read(Path file, boolean required, UnaryOperator<Config> overrides) {
    return new Configuration(file, required, overrides);
  }

  public Path file() {
    return file;
  }

  public synchronized Config current() {
    return current;
  }

  /** Is told the configuration now, and after each reload. */
  public synchronized void onChange(Consumer<Config> listener) {
    listeners.add(listener);
    listener.accept(current);
  }

  /**
   * Reads everything anew.
   *
   * @throws io.jrt.errors.JrtException INVALID when it is bad; nothing has changed then
   */
  public synchronized Reloaded reload() {
    ObjectNode wanted = reader.tree(overrides.apply(reader.read(file, required)));
    ObjectNode inForce = reader.tree(current);
    List<String> changed = new ArrayList<>();
    List<String> needRestart = new ArrayList<>();
    take(wanted, inForce, Config.class, "", changed, needRestart);
    current = reader.bind(inForce);
    listeners.forEach(listener -> listener.accept(current));
    return new Reloaded(changed, needRestart);
  }

  /** Copies what may change while the daemon runs, and notes what may not. */
  private static void take(
      ObjectNode from,
      ObjectNode to,
      Class<?> record,
      String prefix,
      List<String> changed,
      List<String> needRestart) {
    for (Map.Entry<String, RecordComponent> entry : Keys.of(record).entrySet()) {
      String key = entry.getKey();
      RecordComponent component = entry.getValue();
      if (from.get(key) instanceof ObjectNode section && Section.is(component)) {
        ObjectNode old = Optional.ofNullable((ObjectNode) to.get(key)).orElseThrow();
        take(section, old, component.getType(), prefix + key + ".", changed, needRestart);
      } else if (!from.get(key).equals(to.get(key))) {
        if (component.isAnnotationPresent(Live.class)) {
          to.set(key, from.get(key));
          changed.add(prefix + key);
        } else {
          needRestart.add(prefix + key);
        }
      }
    }
  }
}
