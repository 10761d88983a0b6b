package io.jrt.json;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import tools.jackson.databind.BeanDescription;
import tools.jackson.databind.DeserializationConfig;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.deser.ValueInstantiator;
import tools.jackson.databind.deser.ValueInstantiators;
import tools.jackson.databind.deser.std.StdValueInstantiator;
import tools.jackson.databind.introspect.AnnotatedWithParams;
import tools.jackson.databind.module.SimpleModule;

/**
 * Has Jackson make records by calling their constructors plainly.
 *
 * <p>By itself Jackson 3 makes a method handle of each constructor and calls it with an array of
 * arguments, for which the virtual machine spins a handful of classes for every form of arguments:
 * a third of the time that a daemon needs from its start until it serves. Without those it takes
 * {@code -Djdk.reflect.useNativeAccessorOnly=true} as well, as plain reflection is made of method
 * handles, too.
 */
public final class PlainRecords extends SimpleModule {
  private static final long serialVersionUID = 1;

  public PlainRecords() {
    super("plain-records");
  }

  @Override
  public void setupModule(SetupContext context) {
    super.setupModule(context);
    context.addValueInstantiators(new Instantiators());
  }

  private static final class Instantiators extends ValueInstantiators.Base {
    @Override
    public ValueInstantiator modifyValueInstantiator(
        DeserializationConfig config,
        BeanDescription.Supplier description,
        ValueInstantiator standard) {
      if (!description.getBeanClass().isRecord()
          || !(standard instanceof StdValueInstantiator known)) {
        return standard;
      }
      AnnotatedWithParams creator = known.getWithArgsCreator();
      if (creator == null || !(creator.getAnnotated() instanceof Constructor<?> constructor)) {
        return standard;
      }
      constructor.setAccessible(true);
      return new Instantiator(known, constructor);
    }
  }

  private static final class Instantiator extends StdValueInstantiator {
    private static final long serialVersionUID = 1;

    // Jackson does not serialise instantiators, it only says that one could.
    private final transient Constructor<?> constructor;

    Instantiator(StdValueInstantiator standard, Constructor<?> constructor) {
      super(standard);
      this.constructor = constructor;
    }

    @Override
    public Object createFromObjectWith(DeserializationContext context, Object[] arguments) {
      try {
        return constructor.newInstance(arguments);
      } catch (InvocationTargetException e) {
        return context.handleInstantiationProblem(
            _valueClass, arguments, rewrapCtorProblem(context, e.getCause()));
      } catch (ReflectiveOperationException | IllegalArgumentException e) {
        return context.handleInstantiationProblem(
            _valueClass, arguments, rewrapCtorProblem(context, e));
      }
    }
  }
}
