package io.jrt.linux;

/**
 * The functions of libnvidia-ml; public only because jnr-ffi needs it so. Pointers are addresses.
 */
public interface LibNvml {
  int nvmlInit_v2();

  int nvmlShutdown();

  int nvmlDeviceGetCount_v2(long count);

  int nvmlDeviceGetHandleByIndex_v2(int index, long device);

  int nvmlDeviceGetUUID(long device, long text, int length);

  int nvmlDeviceGetMemoryInfo(long device, long memory);

  int nvmlDeviceGetUtilizationRates(long device, long rates);

  // For divided GPUs; older drivers have not got them.

  int nvmlDeviceGetMaxMigDeviceCount(long device, long count);

  int nvmlDeviceGetMigDeviceHandleByIndex(long device, int index, long part);

  int nvmlDeviceGetGpuInstanceId(long part, long id);

  int nvmlDeviceGetComputeInstanceId(long part, long id);
}
