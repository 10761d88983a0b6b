package io.jrt.core;

/** An SELinux label in its four parts; empty parts are filled by the runtime. */
public record SelinuxOptions(String user, String role, String type, String level) {}
