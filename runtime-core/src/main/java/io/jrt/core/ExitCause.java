package io.jrt.core;

import java.util.OptionalInt;

/**
 * Why a container is not running any more, in the words the kubelet knows.
 *
 * @param code the exit code; 128 + the signal's number when a signal ended it
 * @param signal the signal that ended it, if one did
 * @param reason {@code Completed}, {@code Error}, {@code OOMKilled}, {@code StartError}, {@code
 *     ContainerCannotRun} or {@code Unknown}
 * @param message one sentence, or empty
 */
public record ExitCause(int code, OptionalInt signal, String reason, String message) {}
