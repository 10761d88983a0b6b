package io.jrt.volumes;

import java.time.Instant;

/**
 * The preparation of a mount that takes long.
 *
 * @param owner the container it is for
 * @param what the mount
 * @param since when it began
 * @param abandoned whether the container was refused meanwhile, and only a thread waits on
 */
public record SlowMount(String owner, String what, Instant since, boolean abandoned) {}
