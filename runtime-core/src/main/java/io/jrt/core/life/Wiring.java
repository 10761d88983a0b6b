package io.jrt.core.life;

import io.jrt.core.io.IoEngine;
import io.jrt.core.launch.Launcher;
import io.jrt.core.plugin.LifecyclePlugins;
import io.jrt.core.store.Layout;
import io.jrt.events.Events;
import io.jrt.image.ImageStore;
import io.jrt.linux.FailPoints;
import io.jrt.linux.Kernel;
import io.jrt.network.NetworkProvider;
import io.jrt.security.Security;
import io.jrt.volumes.Volumes;
import java.nio.file.Path;

/**
 * Everything the runtime stands on. Who made these closes them, after the runtime.
 *
 * @param jrtInit the program of keepers and of pods' first processes
 */
public record Wiring(
    CoreConfig config,
    Layout layout,
    Kernel kernel,
    ImageStore images,
    NetworkProvider network,
    Volumes volumes,
    Security security,
    ControlGroups cgroups,
    Launcher launcher,
    IoEngine io,
    Events events,
    FailPoints failPoints,
    LifecyclePlugins plugins,
    Path jrtInit) {}
