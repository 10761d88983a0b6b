package org.freedesktop.systemd1;

import org.freedesktop.dbus.exceptions.DBusExecutionException;

/** There is a unit of that name already. */
public final class UnitExists extends DBusExecutionException {
  private static final long serialVersionUID = 1;

  public UnitExists(String message) {
    super(message);
  }
}
