package io.jrt.linux;

/** The functions of libcrypto; public only because jnr-ffi needs it so. Pointers are addresses. */
public interface LibCrypto {
  int SHA256_Init(long state);

  int SHA256_Update(long state, long bytes, long length);

  int SHA256_Final(long result, long state);
}
