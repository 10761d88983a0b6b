package io.jrt.image;

/** Is told how a pull or an import goes on. */
@FunctionalInterface
public interface PullListener {

  /** Hears nothing. */
  PullListener NONE = progress -> {};

  /**
   * Called at every change of a phase and, while bytes flow, a few times a second; the last call of
   * a pull has phase DONE or FAILED. Calls come one at a time, from threads of the pull: it must
   * not block.
   */
  void progress(PullProgress progress);
}
