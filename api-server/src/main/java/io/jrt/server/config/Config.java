package io.jrt.server.config;

/** The configuration of the daemon: one record a concern. */
public record Config(
    @Doc("Where the daemon keeps things and where it listens.") DaemonConfig daemon,
    @Doc("What the daemon says of itself.") LogConfig log,
    @Doc("How pods and containers are run.") ContainersConfig containers,
    @Doc("Where devices are found, and who may have them.") DevicesConfig devices,
    @Doc("Where images come from, and what pulling may take.") ImagesConfig images,
    @Doc("How pods are connected.") NetworkSection network,
    @Doc("How kubectl exec, attach and port-forward reach containers.") StreamingSection streaming,
    @Doc("What is remembered of what happened.") EventsConfig events,
    @Doc("What the daemon counts of itself.") MetricsConfig metrics,
    @Doc("Where the daemon tells what it does, step by step.") TracesConfig traces,
    @Doc("Whether NRI plugins take part.") NriConfig nri) {

  public static final Config DEFAULT =
      new Config(
          DaemonConfig.DEFAULT,
          LogConfig.DEFAULT,
          ContainersConfig.DEFAULT,
          DevicesConfig.DEFAULT,
          ImagesConfig.DEFAULT,
          NetworkSection.DEFAULT,
          StreamingSection.DEFAULT,
          EventsConfig.DEFAULT,
          MetricsConfig.DEFAULT,
          TracesConfig.DEFAULT,
          NriConfig.DEFAULT);
}
