package io.jrt.core.systemd;

import java.util.List;
import org.freedesktop.dbus.DBusPath;
import org.freedesktop.dbus.Struct;
import org.freedesktop.dbus.annotations.DBusInterfaceName;
import org.freedesktop.dbus.annotations.DBusMemberName;
import org.freedesktop.dbus.annotations.Position;
import org.freedesktop.dbus.exceptions.DBusException;
import org.freedesktop.dbus.interfaces.DBusInterface;
import org.freedesktop.dbus.messages.DBusSignal;
import org.freedesktop.dbus.types.UInt32;
import org.freedesktop.dbus.types.Variant;

/** The part of org.freedesktop.systemd1.Manager that is used. Public because it is proxied. */
@DBusInterfaceName("org.freedesktop.systemd1.Manager")
public interface Manager1 extends DBusInterface {

  /**
   * Makes and starts a unit that has no file.
   *
   * @param mode {@code replace}, {@code fail} and others
   * @return the job, whose end {@link JobRemoved} tells
   */
  @DBusMemberName("StartTransientUnit")
  DBusPath startTransientUnit(
      String unit, String mode, List<Property> properties, List<Auxiliary> auxiliary);

  @DBusMemberName("StopUnit")
  DBusPath stopUnit(String unit, String mode);

  @DBusMemberName("ResetFailedUnit")
  void resetFailedUnit(String unit);

  /**
   * @param runtime whether it is forgotten at the next boot
   */
  @DBusMemberName("SetUnitProperties")
  void setUnitProperties(String unit, boolean runtime, List<Property> properties);

  /** Asks for signals. */
  @DBusMemberName("Subscribe")
  void subscribe();

  /** A name and what it is set to: {@code (sv)}. */
  final class Property extends Struct {
    @Position(0)
    public final String name;

    @Position(1)
    public final Variant<?> value;

    public Property(String name, Variant<?> value) {
      this.name = name;
      this.value = value;
    }
  }

  /** A further unit to make at the same time: {@code (sa(sv))}; never used. */
  final class Auxiliary extends Struct {
    @Position(0)
    public final String name;

    @Position(1)
    public final List<Property> properties;

    public Auxiliary(String name, List<Property> properties) {
      this.name = name;
      this.properties = properties;
    }
  }

  /** A job has ended. */
  final class JobRemoved extends DBusSignal {
    public final UInt32 id;
    public final DBusPath job;
    public final String unit;
    public final String result;

    public JobRemoved(String path, UInt32 id, DBusPath job, String unit, String result)
        throws DBusException {
      super(path, id, job, unit, result);
      this.id = id;
      this.job = job;
      this.unit = unit;
      this.result = result;
    }
  }
}
