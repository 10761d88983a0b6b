package io.jrt.cli;

import io.jrt.admin.v1.DoctorRequest;
import io.jrt.admin.v1.DoctorResponse;
import io.jrt.admin.v1.Finding;
import io.jrt.admin.v1.Severity;
import java.io.IOException;
import java.util.List;

/** {@code jrt doctor}. Ends with 1 when something keeps containers from running. */
final class DoctorCommand implements Command {
  @Override
  public Spec spec() {
    return Spec.of(
        "doctor",
        "",
        "look for what keeps containers from running well, and say what to do",
        List.of(Flag.toggle('q', "quiet", "only what needs something done")),
        "doctor --quiet");
  }

  @Override
  public int run(Arguments arguments, Session session) throws IOException {
    arguments.none();
    DoctorResponse answer =
        session
            .daemon()
            .admin("Doctor", DoctorRequest.getDefaultInstance(), DoctorResponse.parser());
    List<Finding> findings =
        answer.getFindingsList().stream()
            .filter(f -> !arguments.has("quiet") || f.getSeverity() != Severity.SEVERITY_GOOD)
            .toList();
    if (session.forPeople()) {
      findings.forEach(finding -> tell(session, finding));
    } else {
      session.print(DoctorResponse.newBuilder().addAllFindings(findings).build());
    }
    return findings.stream().anyMatch(f -> f.getSeverity() == Severity.SEVERITY_BAD) ? 1 : 0;
  }

  private static void tell(Session session, Finding finding) {
    String mark =
        switch (finding.getSeverity()) {
          case SEVERITY_GOOD -> "good";
          case SEVERITY_WARNING -> "warn";
          case SEVERITY_BAD -> "BAD ";
          case SEVERITY_UNSPECIFIED, UNRECOGNIZED -> "?   ";
        };
    session.out().println(mark + "  " + finding.getSubject() + ": " + finding.getMessage());
    if (!finding.getRemedy().isEmpty()) {
      session.out().println("      " + finding.getRemedy());
    }
  }
}
