package io.jrt.core.device;

/**
 * What a plugin wants changed in a container, in the words of CDI, and the plugin, as errors name
 * it.
 */
public record PluginEdits(String plugin, CdiEdits edits) {}
