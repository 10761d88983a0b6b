package io.jrt.nri.v1alpha1;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrt.wire.WireTable;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Holds the compiled descriptors against the table of what goes over the wire. */
final class NriDescriptorTest {
  @Test
  void descriptorsAreWhatTheTableSays() throws IOException {
    assertThat(WireTable.compiled(List.of(NriProto.getDescriptor())))
        .containsExactlyElementsOf(WireTable.read("/nri-v1alpha1.table"));
  }
}
