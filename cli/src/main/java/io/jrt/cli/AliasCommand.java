package io.jrt.cli;

import java.io.IOException;

/** A command under one more name, as fingers know it from elsewhere. */
record AliasCommand(String name, Command command) implements Command {
  @Override
  public Spec spec() {
    Spec same = command.spec();
    return new Spec(
        name,
        same.arguments(),
        same.summary() + " (jrt " + same.name() + ")",
        same.optionsFirst(),
        same.flags(),
        same.examples());
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    return command.run(arguments, session);
  }
}
