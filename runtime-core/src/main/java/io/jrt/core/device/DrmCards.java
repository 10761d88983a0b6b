package io.jrt.core.device;

import io.jrt.core.device.CdiEdits.Node;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/** The GPUs of AMD and Intel, whose drivers are the kernel's own. */
final class DrmCards {
  private static final String VERSION = "0.5.0";
  private static final String CLASS = "/sys/class/drm";
  private static final String KFD = "/dev/kfd";

  private final HostTree tree;

  private record Card(Vendor vendor, String render, String pci, List<String> nodes) {}

  private enum Vendor {
    AMD("0x1002", "amd.com/gpu"),
    INTEL("0x8086", "intel.com/gpu");

    private final String id;
    private final String kind;

    Vendor(String id, String kind) {
      this.id = id;
      this.kind = kind;
    }
  }

  DrmCards(HostTree tree) {
    this.tree = tree;
  }

  private List<Card> cards(Vendor vendor) {
    List<Card> cards = new ArrayList<>();
    for (String render : tree.list(CLASS)) {
      String device = CLASS + "/" + render + "/device";
      String node = "/dev/dri/" + render;
      if (!render.startsWith("renderD")
          || !tree.text(device + "/vendor").equals(vendor.id)
          || !tree.exists(node)) {
        continue;
      }
      List<String> nodes = new ArrayList<>();
      for (String sibling : tree.list(device + "/drm")) {
        if (sibling.matches("card[0-9]+") && tree.exists("/dev/dri/" + sibling)) {
          nodes.add("/dev/dri/" + sibling);
        }
      }
      nodes.add(node);
      String real = tree.resolve(device).orElse(device);
      cards.add(new Card(vendor, render, String.valueOf(Path.of(real).getFileName()), nodes));
    }
    return cards;
  }

  List<CdiSpec> specs() {
    List<CdiSpec> specs = new ArrayList<>();
    for (Vendor vendor : Vendor.values()) {
      List<Card> cards = cards(vendor);
      if (cards.isEmpty()) {
        continue;
      }
      List<CdiSpec.Device> devices = new ArrayList<>();
      Set<String> all = new LinkedHashSet<>();
      for (int i = 0; i < cards.size(); i++) {
        List<String> nodes = nodes(cards.get(i));
        all.addAll(nodes);
        devices.add(device(Integer.toString(i), nodes));
        if (CdiName.isDevice(cards.get(i).pci)) {
          devices.add(device(cards.get(i).pci, nodes));
        }
      }
      devices.add(device("all", List.copyOf(all)));
      specs.add(
          new CdiSpec(
              "found below " + tree.root(),
              VERSION,
              vendor.kind,
              Map.of(),
              devices,
              CdiEdits.NONE));
    }
    return specs;
  }

  private List<String> nodes(Card card) {
    List<String> nodes = new ArrayList<>();
    if (card.vendor == Vendor.AMD && tree.exists(KFD)) {
      nodes.add(KFD); // the one way to compute on all of them
    }
    nodes.addAll(card.nodes);
    return nodes;
  }

  private CdiSpec.Device device(String name, List<String> paths) {
    List<Node> nodes = paths.stream().map(tree::node).toList();
    return CdiSpec.Device.of(name, CdiEdits.of(nodes, List.of()));
  }

  List<Gpu> gpus() {
    List<Gpu> gpus = new ArrayList<>();
    for (Vendor vendor : Vendor.values()) {
      List<Card> cards = cards(vendor);
      for (int i = 0; i < cards.size(); i++) {
        Card card = cards.get(i);
        String device = CLASS + "/" + card.render + "/device/";
        String model = tree.text(device + "product_name");
        gpus.add(
            new Gpu(
                vendor.kind + "=" + i,
                tree.text(device + "unique_id"),
                model.isEmpty() ? model(vendor, device) : model,
                driver(device),
                card.pci,
                tree.on(card.nodes),
                new Gpu.Use(
                    number(tree.text(device + "mem_info_vram_total")),
                    number(tree.text(device + "mem_info_vram_used")),
                    percent(tree.text(device + "gpu_busy_percent")))));
      }
    }
    return gpus;
  }

  private String model(Vendor vendor, String device) {
    String name = vendor.name().charAt(0) + vendor.name().substring(1).toLowerCase(Locale.ROOT);
    return (vendor == Vendor.AMD ? "AMD" : name) + " " + tree.text(device + "device");
  }

  private String driver(String device) {
    return tree.resolve(device + "driver")
        .map(real -> String.valueOf(Path.of(real).getFileName()))
        .orElse("");
  }

  private static OptionalInt percent(String text) {
    return text.matches("[0-9]{1,3}")
        ? OptionalInt.of(Integer.parseInt(text))
        : OptionalInt.empty();
  }

  private static long number(String text) {
    return text.matches("[0-9]{1,18}") ? Long.parseLong(text) : 0;
  }
}
