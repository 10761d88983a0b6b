package io.jrt.server.nri;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.nri.v1alpha1.CompoundFieldOwners;
import io.jrt.nri.v1alpha1.Field;
import io.jrt.nri.v1alpha1.FieldOwners;
import java.util.HashMap;
import java.util.Map;

/** Which plugin has set what of one container: no two may set the same. */
final class Owners {
  private final Map<Key, String> owners = new HashMap<>();

  /**
   * @param name within a field that has many, or empty
   */
  private record Key(Field field, String name) {}

  /**
   * @throws JrtException FAILED_PRECONDITION when another plugin has set it
   */
  void claim(Field field, String name, String plugin) {
    String before = owners.putIfAbsent(new Key(field, name), plugin);
    if (before != null && !before.equals(plugin)) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION,
          NriPlugins.STEP,
          "nri plugins %s and %s both set %s%s"
              .formatted(before, plugin, field.name(), name.isEmpty() ? "" : " " + name));
    }
  }

  /** A plugin has taken it away: another may set it anew. */
  void clear(Field field, String name) {
    owners.remove(new Key(field, name));
  }

  FieldOwners told() {
    FieldOwners.Builder told = FieldOwners.newBuilder();
    Map<Integer, CompoundFieldOwners.Builder> compound = new HashMap<>();
    owners.forEach(
        (key, plugin) -> {
          int number = key.field().getNumber();
          if (key.name().isEmpty()) {
            told.putSimple(number, plugin);
          } else {
            compound
                .computeIfAbsent(number, _ -> CompoundFieldOwners.newBuilder())
                .putOwners(key.name(), plugin);
          }
        });
    compound.forEach((number, fields) -> told.putCompound(number, fields.build()));
    return told.build();
  }
}
