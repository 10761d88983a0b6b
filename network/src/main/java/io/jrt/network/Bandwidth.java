package io.jrt.network;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.math.BigDecimal;
import java.util.Map;

/**
 * How fast a pod may receive and send, by Kubernetes' annotations.
 *
 * @param ingress bits per second to the pod; 0 for no limit
 * @param egress bits per second from the pod; 0 for no limit
 */
public record Bandwidth(long ingress, long egress) {
  private static final String INGRESS = "kubernetes.io/ingress-bandwidth";
  private static final String EGRESS = "kubernetes.io/egress-bandwidth";
  private static final long MIN_RATE = 1_000;
  private static final long MAX_RATE = 1_000_000_000_000_000L;

  private static final Map<String, Long> UNITS =
      Map.of(
          "",
          1L,
          "k",
          1_000L,
          "M",
          1_000_000L,
          "G",
          1_000_000_000L,
          "T",
          1_000_000_000_000L,
          "Ki",
          1L << 10,
          "Mi",
          1L << 20,
          "Gi",
          1L << 30,
          "Ti",
          1L << 40);

  /**
   * What a pod's annotations say.
   *
   * @throws JrtException INVALID for what is no rate, or one that nobody can mean
   */
  public static Bandwidth of(Map<String, String> annotations) {
    return new Bandwidth(rate(annotations, INGRESS), rate(annotations, EGRESS));
  }

  /** A Kubernetes quantity in bits per second, such as {@code 10M}. */
  private static long rate(Map<String, String> annotations, String annotation) {
    String text = annotations.get(annotation);
    if (text == null) {
      return 0;
    }
    String digits = text.replaceAll("[A-Za-z]+$", "");
    Long factor = UNITS.get(text.substring(digits.length()));
    if (factor != null && digits.matches("[0-9]{1,18}(\\.[0-9]{1,18})?")) {
      BigDecimal rate = new BigDecimal(digits).multiply(BigDecimal.valueOf(factor));
      if (rate.compareTo(BigDecimal.valueOf(MIN_RATE)) >= 0
          && rate.compareTo(BigDecimal.valueOf(MAX_RATE)) <= 0) {
        return rate.longValue();
      }
    }
    throw new JrtException(
        ErrorKind.INVALID,
        "attach network",
        "annotation " + annotation + " \"" + text + "\" is not a rate between 1k and 1P");
  }
}
