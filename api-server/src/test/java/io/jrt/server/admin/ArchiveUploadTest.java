package io.jrt.server.admin;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ArchiveUploadTest {
  @TempDir private Path directory;

  @Test
  void piecesBecomeOneFileThatGoesWithTheCall() throws IOException {
    Path uploads = directory.resolve("uploads");
    Path whole;
    try (ArchiveUpload upload = new ArchiveUpload(uploads, "import image")) {
      assertThat(upload.whole()).isEmpty();
      upload.add(ByteString.copyFromUtf8("one "));
      upload.add(ByteString.copyFromUtf8("two"));
      whole = upload.whole().orElseThrow();
      assertThat(whole).hasContent("one two");
    }
    assertThat(whole).doesNotExist();
    assertThat(uploads).isEmptyDirectory();
  }

  @Test
  void whatAKilledDaemonLeftIsRemoved() throws IOException {
    ArchiveUpload.removeLeftovers(directory.resolve("none"));
    Files.writeString(directory.resolve("upload-1.tar"), "half an archive");
    ArchiveUpload.removeLeftovers(directory);
    assertThat(directory).isEmptyDirectory();
  }
}
