package io.jrt.server.build;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The module graph of CONTRIBUTING.md, as far as Maven's dependencies leave it open. */
@AnalyzeClasses(packages = "io.jrt", importOptions = ImportOption.DoNotIncludeTests.class)
final class ModuleGraphTest {

  @ArchTest
  static final ArchRule onlyLinuxCallsTheKernel =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.jrt.linux..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("jnr..", "com.kenai.jffi..");

  @ArchTest
  static final ArchRule linuxKnowsNobody =
      noClasses()
          .that()
          .resideInAnyPackage("io.jrt.linux..", "io.jrt.errors..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.jrt.events..",
              "io.jrt.security..",
              "io.jrt.volumes..",
              "io.jrt.image..",
              "io.jrt.network..",
              "io.jrt.core..",
              "io.jrt.server..");

  @ArchTest
  static final ArchRule eventsKnowNoOtherService =
      service("events", "security", "volumes", "image", "network");

  @ArchTest
  static final ArchRule securityKnowsNoOtherService =
      service("security", "events", "volumes", "image", "network");

  @ArchTest
  static final ArchRule volumesKnowNoOtherService =
      service("volumes", "events", "security", "image", "network");

  @ArchTest
  static final ArchRule imagesKnowNoOtherService =
      service("image", "events", "security", "volumes", "network");

  @ArchTest
  static final ArchRule networkKnowsNoOtherService =
      service("network", "events", "security", "volumes", "image");

  @ArchTest
  static final ArchRule nothingBelowTheServerKnowsGrpc =
      noClasses()
          .that()
          .resideOutsideOfPackages(
              "io.jrt.server..", "io.jrt.cri..", "io.jrt.admin..", "io.jrt.nri..", "io.jrt.ttrpc..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.grpc..",
              "com.google.protobuf..",
              "io.jrt.cri..",
              "io.jrt.admin..",
              "io.jrt.nri..",
              "io.jrt.ttrpc..");

  /** A daemon without traces loads none of it. */
  @ArchTest
  static final ArchRule onlyTracesKnowOpenTelemetry =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.jrt.server.trace..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.opentelemetry..");

  @ArchTest
  static final ArchRule theCoreDoesNotKnowTheServer =
      noClasses()
          .that()
          .resideInAPackage("io.jrt.core..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.jrt.server..");

  @ArchTest
  static final ArchRule onlyEventsKnowTheEventBusLibrary =
      noClasses()
          .that()
          .resideOutsideOfPackages("io.jrt.events..", "io.jrt.cri..", "io.jrt.admin..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("com.google.common..");

  @ArchTest
  static final ArchRule nobodyReadsJavaObjectsFromBytes =
      noClasses()
          .should()
          .dependOnClassesThat()
          .haveFullyQualifiedName("java.io.ObjectInputStream");

  private static ArchRule service(String name, String... others) {
    String[] forbidden = new String[others.length + 2];
    for (int i = 0; i < others.length; i++) {
      forbidden[i] = "io.jrt." + others[i] + "..";
    }
    forbidden[others.length] = "io.jrt.core..";
    forbidden[others.length + 1] = "io.jrt.server..";
    return noClasses()
        .that()
        .resideInAPackage("io.jrt." + name + "..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(forbidden);
  }
}
