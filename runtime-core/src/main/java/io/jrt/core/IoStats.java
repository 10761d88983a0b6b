package io.jrt.core;

import java.time.Instant;
import java.util.Optional;

/** Block device pressure. */
public record IoStats(Instant at, Optional<Psi> psi) {}
