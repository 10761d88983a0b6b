package io.jrt.core.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CpuWeightTest {
  @ParameterizedTest
  @CsvSource({
    "0,0",
    "1,1",
    "2,1",
    "10,4",
    "102,17",
    "256,35",
    "512,59",
    "1000,99",
    "1024,100",
    "2048,174",
    "4096,303",
    "10240,639",
    "262144,10000",
    "999999,10000"
  })
  void sharesBecomeTheWeightOtherRuntimesGive(long shares, long weight) {
    assertThat(CpuWeight.ofShares(shares)).isEqualTo(weight);
  }
}
