package io.jrt.core;

/**
 * Something that is not as the records say, or that no record names.
 *
 * @param subject what it is about: {@code pod ID}, {@code snapshot ID}, a path
 * @param problem what was found, one sentence
 * @param remedy what a repair does about it; empty when a person has to decide
 * @param repaired whether that was done
 */
public record Discrepancy(String subject, String problem, String remedy, boolean repaired) {}
