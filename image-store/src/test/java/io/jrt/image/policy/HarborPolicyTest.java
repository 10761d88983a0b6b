package io.jrt.image.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import io.jrt.image.Digest;
import io.jrt.image.ImagePolicy.Beside;
import io.jrt.image.ImagePolicy.Subject;
import io.jrt.image.ImagePolicy.Verdict;
import io.jrt.image.ImageStoreConfig.Registries;
import io.jrt.image.registry.HarborApi;
import io.jrt.image.registry.Proxies;
import io.jrt.image.registry.RegistryHosts;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Artifacts in the states that Harbor's API tells. */
final class HarborPolicyTest {
  private static final String IMAGE = Digest.sha256(new byte[] {1}).toString();
  private static final String MIME = "application/vnd.security.vulnerability.report; version=1.1";
  private static final String PATH =
      "/api/v2.0/projects/prod/repositories/team%252Fapp/artifacts/" + IMAGE;
  private static final Instant NOW = Instant.parse("2026-08-20T10:00:00Z");
  private static final Beside NOTHING =
      new Beside() {
        @Override
        public Stream<byte[]> attached(Digest subject, String tag) {
          return Stream.of();
        }

        @Override
        public byte[] blob(Digest digest, long size) {
          throw new AssertionError("not asked");
        }
      };

  @TempDir Path temp;
  private final Map<String, String> answers = new ConcurrentHashMap<>();
  private final Map<String, String> authorizations = new ConcurrentHashMap<>();
  private HttpServer server;

  @BeforeEach
  void open() throws Exception {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          String path = exchange.getRequestURI().getRawPath();
          authorizations.put(
              path, String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
          String answer = answers.get(path);
          byte[] body =
              (answer == null ? "{\"errors\":[{\"code\":\"NOT_FOUND\"}]}" : answer)
                  .getBytes(StandardCharsets.UTF_8);
          int status = answer == null ? 404 : answer.isEmpty() ? 503 : 200;
          exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.start();
  }

  @AfterEach
  void close() {
    server.stop(0);
  }

  private String host() {
    return "127.0.0.1:" + server.getAddress().getPort();
  }

  private Verdict check(String rule) throws Exception {
    Path file =
        Files.writeString(
            temp.resolve("policy.toml"),
            "[[harbor]]\nimages = [\"127.0.0.1:*/prod/**\"]\n" + rule + "\n");
    var api =
        new HarborApi(
            new RegistryHosts(Registries.NONE), Proxies.of(Map.of()), Duration.ofSeconds(5));
    var policy = new HarborPolicy(file, api, InstantSource.fixed(NOW));
    var subject =
        new Subject(host() + "/prod/team/app:1", host(), "prod/team/app", "sha256:index", IMAGE);
    return policy.check(subject, NOTHING);
  }

  private void scanned(String status, String severity, String end) {
    answers.put(
        PATH,
        """
        {"digest":"%s","scan_overview":{"%s":{"report_id":"7","scan_status":"%s",
          "severity":"%s","end_time":"%s","complete_percent":100,
          "summary":{"total":3,"fixable":2,"summary":{"Critical":1,"High":1,"Low":1}}}}}
        """
            .formatted(IMAGE, MIME, status, severity, end));
  }

  private void report() {
    answers.put(
        PATH + "/additions/vulnerabilities",
        """
        {"%s":{"severity":"Critical","vulnerabilities":[
          {"id":"CVE-2026-1","package":"zlib","version":"1.2","fix_version":"","severity":"Low"},
          {"id":"CVE-2026-2","package":"bash","version":"5.0","fix_version":"","severity":"High"},
          {"id":"CVE-2026-3","package":"openssl","version":"3.0.1","fix_version":"3.0.9",
           "severity":"Critical"}]}}
        """
            .formatted(MIME));
  }

  @Test
  void aCleanImageComes() throws Exception {
    scanned("Success", "Low", "2026-08-20T08:00:00Z");
    assertInstanceOf(Verdict.Allowed.class, check(""));
  }

  @Test
  void aVulnerableImageIsDeniedWithNamesAndFixes() throws Exception {
    scanned("Success", "Critical", "2026-08-20T08:00:00Z");
    report();
    Verdict.Denied denied = assertInstanceOf(Verdict.Denied.class, check(""));
    assertEquals(
        IMAGE
            + " has vulnerabilities of severity high or worse: CVE-2026-3 (critical, openssl 3.0.1,"
            + " fixed in 3.0.9), CVE-2026-2 (high, bash 5.0, no fix)",
        denied.reason());
    assertTrue(!denied.signature());
    assertInstanceOf(Verdict.Warned.class, check("action = \"warn\""));
    assertInstanceOf(Verdict.Allowed.class, check("action = \"off\""));
    Verdict.Denied fixable = assertInstanceOf(Verdict.Denied.class, check("fixable_only = true"));
    assertTrue(!fixable.reason().contains("CVE-2026-2"), fixable.reason());
    assertInstanceOf(
        Verdict.Allowed.class, check("fixable_only = true\nignore = [\"CVE-2026-3\"]"));
  }

  @Test
  void aReportThatIsGoneExcusesNothing() throws Exception {
    scanned("Success", "Critical", "2026-08-20T08:00:00Z");
    assertInstanceOf(Verdict.Denied.class, check("ignore = [\"CVE-2026-3\"]"));
  }

  @Test
  void anImageThatIsNotScannedHasItsOwnSetting() throws Exception {
    scanned("Running", "", "");
    assertInstanceOf(Verdict.Warned.class, check(""));
    Verdict.Denied denied = assertInstanceOf(Verdict.Denied.class, check("unscanned = \"deny\""));
    assertTrue(denied.reason().endsWith("its scan is Running"), denied.reason());
    answers.put(PATH, "{\"scan_overview\":null}");
    assertInstanceOf(Verdict.Denied.class, check("unscanned = \"deny\""));
    answers.remove(PATH);
    assertInstanceOf(Verdict.Denied.class, check("unscanned = \"deny\""));
    assertInstanceOf(Verdict.Allowed.class, check("unscanned = \"off\""));
  }

  @Test
  void anOldScanHasItsOwnSetting() throws Exception {
    scanned("Success", "None", "2026-08-17T10:00:00Z");
    assertInstanceOf(Verdict.Allowed.class, check(""));
    Verdict.Denied denied =
        assertInstanceOf(Verdict.Denied.class, check("stale = \"deny\"\nstale_after_hours = 48"));
    assertTrue(denied.reason().endsWith("was scanned 72 hours ago"), denied.reason());
    assertInstanceOf(Verdict.Warned.class, check("stale_after_hours = 48"));
  }

  @Test
  void aHarborThatDoesNotSayHasItsOwnSetting() throws Exception {
    answers.put(PATH, "");
    assertInstanceOf(Verdict.Denied.class, check(""));
    answers.put(PATH, "<html>maintenance</html>");
    assertInstanceOf(Verdict.Denied.class, check(""));
    server.stop(0);
    assertInstanceOf(Verdict.Denied.class, check(""));
    assertInstanceOf(Verdict.Warned.class, check("unreachable = \"warn\""));
    assertInstanceOf(Verdict.Allowed.class, check("unreachable = \"off\""));
  }

  @Test
  void aRobotAccountIsUsed() throws Exception {
    scanned("Success", "None", "2026-08-20T08:00:00Z");
    Files.writeString(temp.resolve("secret"), "s3cret\n");
    check("username = \"robot$node\"\npassword_file = \"secret\"");
    String expected =
        Base64.getEncoder().encodeToString("robot$node:s3cret".getBytes(StandardCharsets.UTF_8));
    assertEquals("Basic " + expected, authorizations.get(PATH));
  }

  @Test
  void aSwitchThatIsNeitherTrueNorFalseIsAnError() {
    for (String value : new String[] {"\"yes\"", "\"true\"", "1", "[]"}) {
      JrtException e =
          assertThrows(JrtException.class, () -> check("fixable_only = " + value), value);
      assertEquals(ErrorKind.FAILED_PRECONDITION, e.kind());
      assertEquals(
          temp.resolve("policy.toml")
              + " [[harbor]] has a 'fixable_only' that is neither true nor false",
          e.getMessage());
    }
  }
}
