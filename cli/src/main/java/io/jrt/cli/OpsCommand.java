package io.jrt.cli;

import io.jrt.admin.v1.ListOperationsRequest;
import io.jrt.admin.v1.ListOperationsResponse;
import io.jrt.admin.v1.Operation;
import java.io.IOException;
import java.time.Instant;
import java.util.List;

/** {@code jrt ops}. */
final class OpsCommand implements Command {
  @Override
  public Spec spec() {
    return Spec.of("ops", "", "list what is under way and where it waits", List.of(), "ops");
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    arguments.none();
    ListOperationsResponse answer =
        session
            .daemon()
            .admin(
                "ListOperations",
                ListOperationsRequest.getDefaultInstance(),
                ListOperationsResponse.parser());
    if (!session.forPeople()) {
      session.print(answer);
      return 0;
    }
    Table table = new Table("OPERATION", "OBJECT", "STEP", "AGE", "IN STEP", "WAITING", "THREAD");
    Instant now = Instant.now();
    for (Operation operation : answer.getOperationsList()) {
      table.row(
          operation.getName(),
          operation.getKey(),
          operation.getStep(),
          Words.age(operation.getSince(), now),
          Words.age(operation.getStepSince(), now),
          String.valueOf(operation.getJoined()),
          operation.getThread());
    }
    session.print(table);
    return 0;
  }
}
