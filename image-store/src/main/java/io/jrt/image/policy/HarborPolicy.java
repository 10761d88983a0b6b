package io.jrt.image.policy;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.ImagePolicy;
import io.jrt.image.RegistryAuth;
import io.jrt.image.content.Json;
import io.jrt.image.policy.PolicyFile.HarborRule;
import io.jrt.image.registry.HarborApi;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/**
 * Asks Harbor what its scanners found in an image, before it is unpacked. An image is found clean,
 * vulnerable, not scanned, scanned too long ago, or Harbor does not say; a rule decides each.
 */
public final class HarborPolicy implements ImagePolicy {
  private static final int NAMED = 5;

  private final PolicyFile file;
  private final HarborApi harbor;
  private final InstantSource clock;

  public HarborPolicy(Path file, HarborApi harbor, InstantSource clock) {
    this.file = new PolicyFile(file);
    this.harbor = harbor;
    this.clock = clock;
  }

  /** One line of a report. */
  private record Finding(String id, String component, Severity severity, String fixed) {
    String sentence() {
      return id
          + " ("
          + severity.word()
          + ", "
          + component
          + (fixed.isEmpty() ? ", no fix" : ", fixed in " + fixed)
          + ")";
    }
  }

  @Override
  public String name() {
    return "harbor";
  }

  @Override
  public Verdict check(Subject subject, Beside beside) {
    HarborRule rule = file.read().harbor(subject).orElse(null);
    if (rule == null) {
      return new Verdict.Allowed();
    }
    try {
      return decide(rule, subject);
    } catch (JrtException e) {
      if (e.kind() == ErrorKind.FAILED_PRECONDITION || e.kind() == ErrorKind.CANCELLED) {
        throw e;
      }
      return rule.unreachable()
          .verdict("it is not known what scanners found: " + e.getMessage(), false);
    }
  }

  private Verdict decide(HarborRule rule, Subject subject) {
    var artifact =
        new HarborApi.Artifact(
            subject.registry(),
            subject.repository(),
            subject.manifestDigest(),
            rule.url(),
            auth(rule));
    Optional<JsonNode> known = harbor.overview(artifact);
    Optional<JsonNode> scan = known.flatMap(HarborPolicy::finished);
    if (scan.isEmpty()) {
      String state = known.map(HarborPolicy::state).orElse("harbor does not have it");
      return rule.unscanned()
          .verdict(subject.manifestDigest() + " is not scanned: " + state, false);
    }
    Severity worst = Severity.reported(Json.text("a scan", scan.get(), "severity"));
    if (worst.compareTo(rule.severity()) >= 0 && worst != Severity.NONE) {
      Verdict verdict = vulnerable(rule, subject, artifact);
      if (!(verdict instanceof Verdict.Allowed)) {
        return verdict;
      }
    }
    Optional<Duration> age = age(scan.get());
    if (age.isEmpty() || age.get().compareTo(rule.staleAfter()) > 0) {
      String when = age.map(past -> past.toHours() + " hours ago").orElse("nobody knows when");
      return rule.stale().verdict(subject.manifestDigest() + " was scanned " + when, false);
    }
    return new Verdict.Allowed();
  }

  private Verdict vulnerable(HarborRule rule, Subject subject, HarborApi.Artifact artifact) {
    if (rule.action() == Action.OFF) {
      return new Verdict.Allowed();
    }
    List<Finding> findings =
        harbor.vulnerabilities(artifact).map(HarborPolicy::findings).orElse(List.of()).stream()
            .filter(finding -> finding.severity().compareTo(rule.severity()) >= 0)
            .sorted(Comparator.comparing(Finding::severity).reversed().thenComparing(Finding::id))
            .toList();
    List<Finding> counted =
        findings.stream()
            .filter(finding -> !rule.ignore().contains(finding.id()))
            .filter(finding -> !rule.fixableOnly() || !finding.fixed().isEmpty())
            .toList();
    if (counted.isEmpty() && !findings.isEmpty()) {
      return new Verdict.Allowed();
    }
    var text =
        new StringBuilder(subject.manifestDigest()).append(" has vulnerabilities of severity ");
    text.append(rule.severity().word()).append(" or worse");
    for (int i = 0; i < Math.min(NAMED, counted.size()); i++) {
      text.append(i == 0 ? ": " : ", ").append(counted.get(i).sentence());
    }
    if (counted.size() > NAMED) {
      text.append(" and ").append(counted.size() - NAMED).append(" more");
    }
    return rule.action().verdict(text.toString().replaceAll("\\p{Cntrl}", "?"), false);
  }

  /** The newest scan that came to its end; scanners have one entry each. */
  private static Optional<JsonNode> finished(JsonNode artifact) {
    JsonNode best = null;
    Instant newest = Instant.MIN;
    for (var entry : Json.objectOrMissing("an artifact", artifact, "scan_overview").properties()) {
      JsonNode scan = entry.getValue();
      if (!Json.text("a scan", scan, "scan_status").equals("Success")) {
        continue;
      }
      Instant ended = ended(scan).orElse(Instant.EPOCH);
      if (best == null || ended.isAfter(newest)) {
        best = scan;
        newest = ended;
      }
    }
    return Optional.ofNullable(best);
  }

  private static String state(JsonNode artifact) {
    for (var entry : Json.objectOrMissing("an artifact", artifact, "scan_overview").properties()) {
      return "its scan is " + Json.text("a scan", entry.getValue(), "scan_status");
    }
    return "no scan was asked for";
  }

  private Optional<Duration> age(JsonNode scan) {
    return ended(scan).map(then -> Duration.between(then, clock.instant()));
  }

  private static Optional<Instant> ended(JsonNode scan) {
    try {
      return Optional.of(Instant.parse(Json.text("a scan", scan, "end_time")));
    } catch (DateTimeParseException e) {
      return Optional.empty();
    }
  }

  private static List<Finding> findings(JsonNode reports) {
    var findings = new ArrayList<Finding>();
    for (var report : reports.properties()) {
      for (JsonNode one : report.getValue().path("vulnerabilities")) {
        String what = "a report";
        findings.add(
            new Finding(
                Json.text(what, one, "id"),
                (Json.text(what, one, "package") + " " + Json.text(what, one, "version")).strip(),
                Severity.reported(Json.text(what, one, "severity")),
                Json.text(what, one, "fix_version")));
      }
    }
    return findings;
  }

  private static RegistryAuth auth(HarborRule rule) {
    if (rule.username().isEmpty()) {
      return RegistryAuth.NONE;
    }
    Path secret =
        rule.passwordFile()
            .orElseThrow(
                () ->
                    new JrtException(
                        ErrorKind.FAILED_PRECONDITION,
                        "read image policy",
                        "a [[harbor]] has a username and no password_file"));
    try {
      return RegistryAuth.basic(rule.username(), Files.readString(secret).strip());
    } catch (IOException e) {
      throw new JrtException(
          ErrorKind.FAILED_PRECONDITION,
          "read image policy",
          "the password file " + secret + " cannot be read",
          e);
    }
  }
}
