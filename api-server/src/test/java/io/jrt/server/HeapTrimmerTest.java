package io.jrt.server;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class HeapTrimmerTest {
  private static final long MIB = 1 << 20;

  private static final class Heap implements HeapTrimmer.Heap {
    private long taken = 14 * MIB;
    private long filled = 8 * MIB;
    private long alive = 8 * MIB;
    private long kept = 14 * MIB;
    private int collections;

    @Override
    public long taken() {
      return taken;
    }

    @Override
    public long filled() {
      return filled;
    }

    @Override
    public void collect() {
      collections++;
      filled = alive;
      taken = kept;
    }

    private void grow(long to) {
      taken = to;
      filled = to;
    }
  }

  private final Heap heap = new Heap();
  private final HeapTrimmer trimmer = new HeapTrimmer(heap);

  @Test
  void aHeapThatStaysSmallIsLeftAlone() {
    heap.grow(48 * MIB);
    lookTimes(1000);
    assertThat(heap.collections).isZero();
  }

  @Test
  void whatABurstLeftIsGivenBack() {
    heap.grow(100 * MIB);
    trimmer.look();
    assertThat(heap.collections).isOne();
    assertThat(heap.taken).isEqualTo(14 * MIB);
    trimmer.look();
    assertThat(heap.collections).isOne();
  }

  /** Else each look would stop the daemon to find the same. */
  @Test
  void whatIsAliveIsNotCollectedAtEachLook() {
    heap.alive = 90 * MIB;
    heap.kept = 150 * MIB;
    heap.grow(160 * MIB);
    lookTimes(20);
    assertThat(heap.collections).isOne();
    lookTimes(20);
    assertThat(heap.collections).isEqualTo(2);
  }

  /** The heap is at its limit, so that it does not grow beyond what was alive. */
  @Test
  void whatDiesLaterIsGivenBackToo() {
    heap.alive = 90 * MIB;
    heap.kept = 150 * MIB;
    heap.grow(160 * MIB);
    trimmer.look();
    heap.alive = 10 * MIB;
    heap.kept = 17 * MIB;
    lookTimes(60);
    assertThat(heap.taken).isEqualTo(17 * MIB);
    assertThat(heap.collections).isEqualTo(2);
  }

  private void lookTimes(int times) {
    for (int i = 0; i < times; i++) {
      trimmer.look();
    }
  }
}
