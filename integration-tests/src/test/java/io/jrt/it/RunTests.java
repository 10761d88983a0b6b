package io.jrt.it;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/**
 * Runs test classes where there is no build: in the guest of {@code make test-v2}. Arguments are
 * {@code CLASS} or {@code CLASS#METHOD}; each test is told as it ends.
 */
final class RunTests {
  private RunTests() {}

  public static void main(String[] args) {
    PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
    List<DiscoverySelector> selectors = new ArrayList<>();
    for (String name : args) {
      selectors.add(
          name.contains("#")
              ? DiscoverySelectors.selectMethod(name)
              : DiscoverySelectors.selectClass(name));
    }
    LauncherDiscoveryRequest request =
        LauncherDiscoveryRequestBuilder.request().selectors(selectors).build();
    SummaryGeneratingListener summary = new SummaryGeneratingListener();
    LauncherFactory.create().execute(request, summary, new Teller(out));
    summary.getSummary().printFailuresTo(out, 8);
    summary.getSummary().printTo(out);
    boolean good =
        summary.getSummary().getTotalFailureCount() == 0
            && summary.getSummary().getTestsSucceededCount() > 0;
    System.exit(good ? 0 : 1);
  }

  private record Teller(PrintWriter out) implements TestExecutionListener {
    @Override
    public void executionSkipped(TestIdentifier test, String reason) {
      out.println("skipped    " + name(test) + ": " + reason);
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
      if (test.isTest() || result.getStatus() != TestExecutionResult.Status.SUCCESSFUL) {
        out.printf(
            "%-10s %s%s%n",
            result.getStatus().name().toLowerCase(java.util.Locale.ROOT),
            name(test),
            result.getThrowable().map(thrown -> ": " + thrown).orElse(""));
      }
    }

    private static String name(TestIdentifier test) {
      return test.getLegacyReportingName()
          + " "
          + test.getUniqueId().replaceAll(".*class:|\\].*", "");
    }
  }
}
