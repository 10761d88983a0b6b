package io.jrt.cli;

import io.jrt.admin.v1.CheckRequest;
import io.jrt.admin.v1.CheckResponse;
import io.jrt.admin.v1.Discrepancy;
import java.io.IOException;
import java.util.List;

/** {@code jrt check}. Ends with 1 when something is wrong and was not repaired. */
final class CheckCommand implements Command {
  @Override
  public Spec spec() {
    return Spec.of(
        "check",
        "",
        "compare what is recorded with the disk and the kernel, and explain each difference",
        List.of(
            Flag.toggle(
                'r', "repair", "mend what can be mended without touching what a record names")),
        "check --repair");
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    arguments.none();
    CheckResponse answer =
        session
            .daemon()
            .admin(
                "Check",
                CheckRequest.newBuilder().setRepair(arguments.has("repair")).build(),
                CheckResponse.parser());
    if (session.forPeople()) {
      answer.getDiscrepanciesList().forEach(found -> tell(session, found));
      if (answer.getDiscrepanciesCount() == 0) {
        session.out().println("everything is as it should be");
      }
    } else {
      session.print(answer);
    }
    return answer.getDiscrepanciesList().stream().allMatch(Discrepancy::getRepaired) ? 0 : 1;
  }

  private static void tell(Session session, Discrepancy found) {
    session.out().println(found.getSubject() + ": " + found.getProblem());
    if (found.getRepaired()) {
      session.out().println("      repaired: " + found.getRemedy());
    } else if (!found.getRemedy().isEmpty()) {
      session.out().println("      --repair: " + found.getRemedy());
    }
  }
}
