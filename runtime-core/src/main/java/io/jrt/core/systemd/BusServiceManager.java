package io.jrt.core.systemd;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.IOException;
import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.freedesktop.dbus.DBusPath;
import org.freedesktop.dbus.connections.impl.DBusConnection;
import org.freedesktop.dbus.connections.impl.DBusConnectionBuilder;
import org.freedesktop.dbus.errors.AccessDenied;
import org.freedesktop.dbus.exceptions.DBusException;
import org.freedesktop.dbus.exceptions.DBusExecutionException;
import org.freedesktop.dbus.types.UInt32;
import org.freedesktop.dbus.types.UInt64;
import org.freedesktop.dbus.types.Variant;
import org.freedesktop.systemd1.NoSuchUnit;
import org.freedesktop.systemd1.UnitExists;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@link ServiceManager} over a message bus. It connects when it is first needed, and again when
 * the bus was restarted.
 */
public final class BusServiceManager implements ServiceManager {
  /** Where the bus of a machine is. */
  public static final String SYSTEM_BUS = "unix:path=/run/dbus/system_bus_socket";

  private static final Logger log = LoggerFactory.getLogger(BusServiceManager.class);
  private static final String STEP = "ask systemd";
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final BigInteger NO_LIMIT = BigInteger.ONE.shiftLeft(64).subtract(BigInteger.ONE);

  private final String address;
  private final long uid;
  private final Object lock = new Object();
  private final Map<String, BlockingQueue<Manager1.JobRemoved>> waiting = new ConcurrentHashMap<>();
  private @Nullable DBusConnection connection;

  /**
   * @param address of the bus, as D-Bus writes addresses
   * @param uid the daemon's own, by which it tells who it is
   */
  public BusServiceManager(String address, long uid) {
    this.address = address;
    this.uid = uid;
  }

  @Override
  public void startScope(String scope, int pid, List<UnitProperty> properties) {
    List<Manager1.Property> all = properties(properties);
    all.add(
        new Manager1.Property(
            "PIDs", new Variant<>(new UInt32[] {new UInt32(Integer.toUnsignedLong(pid))}, "au")));
    job(scope, manager -> manager.startTransientUnit(scope, "fail", all, List.of()));
  }

  @Override
  public void startSlice(String slice, List<UnitProperty> properties) {
    try {
      job(
          slice,
          manager ->
              manager.startTransientUnit(slice, "replace", properties(properties), List.of()));
    } catch (JrtException e) {
      if (e.kind() != ErrorKind.ALREADY_EXISTS) {
        throw e;
      }
    }
  }

  @Override
  public void setProperties(String unit, List<UnitProperty> properties) {
    call(
        unit,
        manager -> {
          manager.setUnitProperties(unit, true, properties(properties));
          return unit;
        });
  }

  @Override
  public void stop(String unit) {
    try {
      job(unit, manager -> manager.stopUnit(unit, "replace"));
      // A unit that failed is remembered, and its name taken, until it is told to be forgotten.
      call(
          unit,
          manager -> {
            manager.resetFailedUnit(unit);
            return unit;
          });
    } catch (JrtException e) {
      if (e.kind() != ErrorKind.NOT_FOUND) {
        throw e;
      }
    }
  }

  private static List<Manager1.Property> properties(List<UnitProperty> properties) {
    List<Manager1.Property> all = new ArrayList<>();
    for (UnitProperty property : properties) {
      all.add(new Manager1.Property(property.name(), variant(property.value())));
    }
    return all;
  }

  private static Variant<?> variant(UnitProperty.Value value) {
    return switch (value) {
      case UnitProperty.Value.Text(String text) -> new Variant<>(text, "s");
      case UnitProperty.Value.Flag(boolean on) -> new Variant<>(on, "b");
      case UnitProperty.Value.Count(long number) ->
          new Variant<>(
              number == UnitProperty.INFINITY ? new UInt64(NO_LIMIT) : new UInt64(number), "t");
      case UnitProperty.Value.Mask(String bits) -> new Variant<>(mask(bits), "ay");
    };
  }

  static byte[] mask(String list) {
    BitSet bits = new BitSet();
    for (String range : list.split(",", -1)) {
      if (range.matches("\\d{1,5}(-\\d{1,5})?")) {
        int dash = range.indexOf('-');
        int first = Integer.parseInt(dash < 0 ? range : range.substring(0, dash));
        int last = dash < 0 ? first : Integer.parseInt(range.substring(dash + 1));
        bits.set(first, Math.max(first, last) + 1);
      }
    }
    return bits.toByteArray();
  }

  /** Runs a job of a unit to its end. */
  private void job(String unit, Function<Manager1, DBusPath> start) {
    BlockingQueue<Manager1.JobRemoved> ended = new LinkedBlockingQueue<>();
    // Heard before it is asked: the end may be told before the answer is read.
    waiting.put(unit, ended);
    try {
      String job = call(unit, manager -> start.apply(manager).getPath());
      long end = System.nanoTime() + PATIENCE.toNanos();
      while (true) {
        Manager1.JobRemoved removed = ended.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
        if (removed == null) {
          throw new JrtException(
              ErrorKind.DEADLINE,
              STEP,
              "systemd does not end job %s of %s".formatted(job, unit),
              "systemctl list-jobs tells what it waits for",
              null);
        }
        if (removed.job.getPath().equals(job)) {
          if (!removed.result.equals("done")) {
            throw new JrtException(
                ErrorKind.FAILED_PRECONDITION,
                STEP,
                "systemd's job for %s ended with %s".formatted(unit, removed.result));
          }
          return;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new JrtException(ErrorKind.CANCELLED, STEP, "interrupted", e);
    } finally {
      waiting.remove(unit, ended);
    }
  }

  private <T> T call(String unit, Function<Manager1, T> call) {
    try {
      try {
        return call.apply(manager(false));
      } catch (DBusExecutionException e) {
        if (isAnswer(e)) {
          throw e;
        }
        log.debug("the bus at {} is gone, once more: {}", address, e.toString());
        return call.apply(manager(true));
      }
    } catch (DBusExecutionException e) {
      throw new JrtException(
          kind(e), STEP, "systemd refuses %s: %s".formatted(unit, e.getMessage()), e);
    } catch (DBusException e) {
      throw new JrtException(
          ErrorKind.UNAVAILABLE,
          STEP,
          "systemd cannot be reached at %s: %s".formatted(address, e.getMessage()),
          "set containers.cgroup-driver = \"cgroupfs\" where there is no systemd",
          e);
    }
  }

  /** Whether systemd said it, not the bus or the connection: those have classes of their own. */
  private static boolean isAnswer(DBusExecutionException e) {
    return e.getClass() == DBusExecutionException.class
        || e instanceof NoSuchUnit
        || e instanceof UnitExists
        || e instanceof AccessDenied;
  }

  private static ErrorKind kind(DBusExecutionException e) {
    return switch (e) {
      case UnitExists _ -> ErrorKind.ALREADY_EXISTS;
      case NoSuchUnit _ -> ErrorKind.NOT_FOUND;
      case AccessDenied _ -> ErrorKind.DENIED;
      default -> isAnswer(e) ? ErrorKind.FAILED_PRECONDITION : ErrorKind.UNAVAILABLE;
    };
  }

  private Manager1 manager(boolean anew) throws DBusException {
    DBusConnection bus;
    synchronized (lock) {
      bus = connection;
      if (bus == null || anew || !bus.isConnected()) {
        disconnect();
        bus = connect();
        connection = bus;
      }
    }
    return bus.getRemoteObject(
        "org.freedesktop.systemd1", "/org/freedesktop/systemd1", Manager1.class);
  }

  private DBusConnection connect() throws DBusException {
    DBusConnection bus =
        DBusConnectionBuilder.forAddress(address)
            .withShared(false)
            .transportConfig()
            .configureSasl()
            .withSaslUid(uid)
            .back()
            .back()
            .build();
    bus.addSigHandler(Manager1.JobRemoved.class, this::removed);
    bus.getRemoteObject("org.freedesktop.systemd1", "/org/freedesktop/systemd1", Manager1.class)
        .subscribe();
    return bus;
  }

  private void removed(Manager1.JobRemoved job) {
    BlockingQueue<Manager1.JobRemoved> waits = waiting.get(job.unit);
    if (waits != null) {
      waits.add(job);
    }
  }

  private void disconnect() {
    DBusConnection old = connection;
    connection = null;
    if (old != null) {
      try {
        old.close();
      } catch (IOException e) {
        log.debug("closing the connection to the bus: {}", e.toString());
      }
    }
  }

  @Override
  public void close() {
    synchronized (lock) {
      disconnect();
    }
  }
}
