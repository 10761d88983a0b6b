package io.jrt.core;

/** What a container is called within its pod; name and attempt together are unique there. */
public record ContainerMetadata(String name, int attempt) {}
