/**
 * Netlink: the message format, and of its families what pod networks need: interfaces, addresses
 * and routes (rtnetlink(7)) and packet filter rules (nf_tables).
 */
@NullMarked
package io.jrt.linux.netlink;

import org.jspecify.annotations.NullMarked;
