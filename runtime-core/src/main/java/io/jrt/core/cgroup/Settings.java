package io.jrt.core.cgroup;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.linux.Errno;
import io.jrt.linux.KernelException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/** Settings applied in order, all or none: a refusal puts back what was written before it. */
final class Settings {
  private final List<Setting> settings = new ArrayList<>();

  void add(Setting setting) {
    settings.add(setting);
  }

  List<Setting> list() {
    return List.copyOf(settings);
  }

  void apply() {
    Deque<Setting> undo = new ArrayDeque<>();
    for (Setting setting : settings) {
      Optional<String> before = setting.dir().read(setting.file());
      try {
        setting.dir().write(setting.file(), setting.value());
      } catch (KernelException e) {
        if (setting.optional() && e.is(Errno.ENOENT)) {
          continue;
        }
        JrtException failure = refused(setting, e);
        putBack(undo, failure);
        throw failure;
      }
      before.ifPresent(
          old ->
              undo.push(
                  new Setting(
                      setting.dir(),
                      setting.file(),
                      setting.undo().apply(old),
                      true,
                      setting.undo())));
    }
  }

  private static void putBack(Deque<Setting> undo, JrtException failure) {
    for (Setting setting : undo) {
      try {
        setting.dir().write(setting.file(), setting.value());
      } catch (KernelException e) {
        failure.addSuppressed(e);
      }
    }
  }

  private static JrtException refused(Setting setting, KernelException e) {
    String what = setting.dir().path().resolve(setting.file()) + " refuses " + setting.value();
    return switch (e.errno()) {
      case ENOENT ->
          new JrtException(
              ErrorKind.FAILED_PRECONDITION,
              "set cgroup limit",
              "no file " + setting.file() + " for " + setting.value() + " in " + setting.dir(),
              "its cgroup controller is not there or not delegated",
              e);
      case EBUSY ->
          new JrtException(
              ErrorKind.FAILED_PRECONDITION,
              "set cgroup limit",
              what + ": more is in use or set below",
              e);
      case EACCES, EPERM, EROFS ->
          new JrtException(
              ErrorKind.DENIED, "set cgroup limit", what + ": " + e.errno().description(), e);
      default ->
          new JrtException(
              ErrorKind.INVALID, "set cgroup limit", what + ": " + e.errno().description(), e);
    };
  }
}
