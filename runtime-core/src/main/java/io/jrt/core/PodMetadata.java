package io.jrt.core;

/** What a pod sandbox is called; the four together are unique on a node. */
public record PodMetadata(String name, String uid, String namespace, int attempt) {}
