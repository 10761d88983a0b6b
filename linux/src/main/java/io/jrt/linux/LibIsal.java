package io.jrt.linux;

/** The functions of libisal; public only because jnr-ffi needs it so. Pointers are addresses. */
public interface LibIsal {
  void isal_inflate_init(long state);

  int isal_inflate(long state);
}
