package io.jrt.cri.v1;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import io.jrt.wire.WireTable;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Holds the compiled descriptors against the table of what goes over the wire. */
final class CriDescriptorTest {

  private static final List<FileDescriptor> FILES =
      List.of(
          CriValuesProto.getDescriptor(),
          CriSecurityProto.getDescriptor(),
          CriResourcesProto.getDescriptor(),
          CriWindowsProto.getDescriptor(),
          CriPodProto.getDescriptor(),
          CriContainerProto.getDescriptor(),
          CriStatsProto.getDescriptor(),
          CriImageProto.getDescriptor(),
          CriEventsProto.getDescriptor(),
          CriNodeProto.getDescriptor(),
          CriImageServiceProto.getDescriptor(),
          CriRuntimeServiceProto.getDescriptor());

  @Test
  void descriptorsAreWhatTheTableSays() throws IOException {
    assertThat(WireTable.compiled(FILES))
        .containsExactlyElementsOf(WireTable.read("/cri-v1.table"));
  }

  @Test
  void environmentValuesAreBytes() {
    assertThat(KeyValue.getDescriptor().findFieldByName("value").getType())
        .isEqualTo(FieldDescriptor.Type.BYTES);
  }

  @Test
  void everyFileIsOfThePackageThatTheKubeletCalls() {
    assertThat(FILES).allSatisfy(file -> assertThat(file.getPackage()).isEqualTo("runtime.v1"));
  }
}
