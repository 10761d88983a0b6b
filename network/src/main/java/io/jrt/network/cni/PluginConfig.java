package io.jrt.network.cni;

import java.util.Set;
import tools.jackson.databind.node.ObjectNode;

/**
 * One plugin of a network.
 *
 * @param type the plugin's program
 * @param capabilities what it wants to be told of the runtime
 * @param json its configuration as written; not to be changed
 */
record PluginConfig(String type, Set<String> capabilities, ObjectNode json) {}
