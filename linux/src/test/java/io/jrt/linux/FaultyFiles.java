package io.jrt.linux;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Real {@link Files} of which one call fails: the Nth of a name, as when the disk fills up or a
 * device breaks at that very moment. For tests of code that must clean up.
 */
public final class FaultyFiles implements InvocationHandler {
  private final Files real;
  private final String call;
  private final Errno errno;
  private final AtomicInteger left;

  private FaultyFiles(Files real, String call, int nth, Errno errno) {
    this.real = real;
    this.call = call;
    this.errno = errno;
    this.left = new AtomicInteger(nth);
  }

  /**
   * @param call name of a method of {@link Files}
   * @param nth which call of that name fails, 1 being the first; later ones work again
   */
  public static Files failing(Files real, String call, int nth, Errno errno) {
    return (Files)
        Proxy.newProxyInstance(
            Files.class.getClassLoader(),
            new Class<?>[] {Files.class},
            new FaultyFiles(real, call, nth, errno));
  }

  @Override
  public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
    if (method.isDefault()) {
      // Through the proxy, so that the calls it is made of are counted, once each.
      return InvocationHandler.invokeDefault(proxy, method, arguments);
    }
    if (method.getName().equals(call) && left.decrementAndGet() == 0) {
      throw new KernelException(call, errno, "injected fault");
    }
    try {
      return method.invoke(real, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }
}
