package io.jrt.network.bridge;

import io.jrt.linux.netlink.NftTransaction.Element;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Collects elements for several sets; of elements with the same key the first stays. */
final class ElementsBySet {
  private final Map<String, Map<ByteBuffer, Element>> sets = new LinkedHashMap<>();

  void put(String set, Element element) {
    sets.computeIfAbsent(set, s -> new LinkedHashMap<>())
        .putIfAbsent(ByteBuffer.wrap(element.key()), element);
  }

  Map<String, List<Element>> sets() {
    Map<String, List<Element>> lists = new LinkedHashMap<>();
    sets.forEach((set, elements) -> lists.put(set, List.copyOf(elements.values())));
    return lists;
  }
}
