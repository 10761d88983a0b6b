package io.jrt.core.device;

import io.jrt.core.device.CdiEdits.Mount;
import io.jrt.core.device.CdiEdits.Node;
import io.jrt.linux.Nvml;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * NVIDIA's driver as it is installed on a node: GPUs by {@code /proc/driver/nvidia}, libraries by
 * the driver's version at the end of their names, in the directories that the loader knows.
 */
final class NvidiaDriver {
  private static final String VERSION = "0.5.0";
  private static final String PROC = "/proc/driver/nvidia";
  private static final Pattern RELEASE = Pattern.compile("[0-9]{3,}\\.[0-9]+(\\.[0-9]+)?");
  private static final Pattern CHANNEL = Pattern.compile("channel([0-9]+)");
  private static final String CHANNELS = "/dev/nvidia-caps-imex-channels";

  /** What every user of any of the GPUs opens. */
  private static final List<String> CONTROL =
      List.of("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia-modeset");

  private static final List<String> LIBRARY_DIRECTORIES =
      List.of(
          "/usr/lib/x86_64-linux-gnu",
          "/usr/lib/aarch64-linux-gnu",
          "/usr/lib64",
          "/usr/lib",
          "/usr/local/nvidia/lib64",
          "/run/opengl-driver/lib");

  private static final List<String> PROGRAM_DIRECTORIES =
      List.of("/usr/bin", "/usr/sbin", "/usr/local/bin", "/opt/bin");

  private static final List<String> PROGRAMS =
      List.of(
          "nvidia-smi",
          "nvidia-debugdump",
          "nvidia-persistenced",
          "nvidia-cuda-mps-control",
          "nvidia-cuda-mps-server",
          "nvidia-imex",
          "nvidia-imex-ctl");

  /** Services of the node that a GPU's users speak with. */
  private static final List<String> SOCKETS =
      List.of(
          "/run/nvidia-persistenced/socket", "/run/nvidia-fabricmanager/socket", "/tmp/nvidia-mps");

  private static final List<String> DATA =
      List.of(
          "/etc/vulkan/icd.d/nvidia_icd.json",
          "/etc/vulkan/implicit_layer.d/nvidia_layers.json",
          "/usr/share/vulkan/icd.d/nvidia_icd.json",
          "/usr/share/vulkan/implicit_layer.d/nvidia_layers.json",
          "/usr/share/glvnd/egl_vendor.d/10_nvidia.json",
          "/usr/share/egl/egl_external_platform.d/10_nvidia_wayland.json",
          "/usr/share/egl/egl_external_platform.d/15_nvidia_gbm.json",
          "/usr/share/nvidia/nvoptix.bin");

  private static final String LIBRARY = "libnvidia-ml.so.1";

  private final HostTree tree;
  private final NvidiaMeter meter;

  private record Card(int index, String pci, String uuid, String model, int minor) {}

  /** An instance of a GPU that is divided. */
  private record Part(int index, int gpuInstance, int computeInstance, List<String> capabilities) {}

  NvidiaDriver(HostTree tree, NvidiaMeter meter) {
    this.tree = tree;
    this.meter = meter;
  }

  /** Where the driver's management library lies, or what the loader knows it by. */
  static String library(HostTree tree) {
    return LIBRARY_DIRECTORIES.stream()
        .map(directory -> directory + "/" + LIBRARY)
        .flatMap(path -> tree.resolve(path).stream())
        .map(real -> tree.on(real).toString())
        .findFirst()
        .orElse(LIBRARY);
  }

  private List<Card> cards() {
    List<Card> cards = new ArrayList<>();
    // The order of the addresses, which are hexadecimal of one width, is that of nvidia-smi.
    for (String pci : tree.list(PROC + "/gpus").stream().sorted().toList()) {
      String information = tree.text(PROC + "/gpus/" + pci + "/information");
      String minor = HostTree.field(information, "Device Minor");
      if (minor.matches("[0-9]{1,4}") && tree.exists("/dev/nvidia" + minor)) {
        cards.add(
            new Card(
                cards.size(),
                pci,
                HostTree.field(information, "GPU UUID"),
                HostTree.field(information, "Model"),
                Integer.parseInt(minor)));
      }
    }
    return cards;
  }

  /** The version of the kernel's part, which the libraries carry in their names. */
  private String release() {
    Matcher matcher = RELEASE.matcher(tree.text(PROC + "/version"));
    return matcher.find() ? matcher.group() : tree.text("/sys/module/nvidia/version");
  }

  List<CdiSpec> specs() {
    List<Card> cards = cards();
    if (cards.isEmpty()) {
      return List.of();
    }
    List<CdiSpec> specs = new ArrayList<>();
    List<CdiSpec.Device> devices = new ArrayList<>();
    Set<String> all = new LinkedHashSet<>();
    for (Card card : cards) {
      List<String> nodes = nodes(card);
      all.addAll(nodes);
      devices.add(device(Integer.toString(card.index), nodes));
      if (CdiName.isDevice(card.uuid)) {
        devices.add(device(card.uuid, nodes));
      }
      for (Part part : parts(card)) {
        List<String> needed = new ArrayList<>(nodes);
        needed.addAll(part.capabilities);
        all.addAll(part.capabilities);
        devices.add(device(card.index + ":" + part.index, needed));
        measured(card, part)
            .map(Nvml.Part::uuid)
            .filter(CdiName::isDevice)
            .ifPresent(uuid -> devices.add(device(uuid, needed)));
      }
    }
    devices.add(device("all", List.copyOf(all)));
    specs.add(spec("nvidia.com/gpu", devices, common()));
    List<CdiSpec.Device> channels = channels();
    if (!channels.isEmpty()) {
      specs.add(spec("nvidia.com/imex-channel", channels, CdiEdits.NONE));
    }
    return specs;
  }

  private CdiSpec spec(String kind, List<CdiSpec.Device> devices, CdiEdits edits) {
    return new CdiSpec("found below " + tree.root(), VERSION, kind, Map.of(), devices, edits);
  }

  private CdiSpec.Device device(String name, List<String> paths) {
    List<Node> nodes = paths.stream().map(tree::node).toList();
    return CdiSpec.Device.of(name, CdiEdits.of(nodes, List.of()));
  }

  private List<String> nodes(Card card) {
    List<String> nodes = new ArrayList<>();
    nodes.add("/dev/nvidia" + card.minor);
    for (String name : tree.list("/sys/bus/pci/devices/" + card.pci + "/drm")) {
      if (name.matches("(card|renderD)[0-9]+") && tree.exists("/dev/dri/" + name)) {
        nodes.add("/dev/dri/" + name);
      }
    }
    return nodes;
  }

  /** The compute instances of a divided GPU, by the numbers of their GPU and compute instance. */
  private List<Part> parts(Card card) {
    List<Part> parts = new ArrayList<>();
    String base = PROC + "/capabilities/gpu" + card.minor + "/mig";
    for (String gpuInstance : tree.list(base)) {
      if (!gpuInstance.startsWith("gi")) {
        continue;
      }
      Optional<String> outer = capability(base + "/" + gpuInstance + "/access");
      for (String computeInstance : tree.list(base + "/" + gpuInstance)) {
        Optional<String> inner =
            capability(base + "/" + gpuInstance + "/" + computeInstance + "/access");
        if (computeInstance.startsWith("ci") && outer.isPresent() && inner.isPresent()) {
          parts.add(
              new Part(
                  parts.size(),
                  instance(gpuInstance),
                  instance(computeInstance),
                  List.of(outer.get(), inner.get())));
        }
      }
    }
    return parts;
  }

  /** The number in {@code gi7} or {@code ci0}. */
  private static int instance(String name) {
    String digits = name.substring(2);
    return digits.matches("[0-9]{1,4}") ? Integer.parseInt(digits) : -1;
  }

  /** What the library says of a card. */
  private Optional<Nvml.Device> measured(Card card) {
    return meter.devices().stream().filter(each -> each.uuid().equals(card.uuid)).findFirst();
  }

  private Optional<Nvml.Part> measured(Card card, Part part) {
    return measured(card).stream()
        .flatMap(device -> device.parts().stream())
        .filter(each -> each.gpuInstance() == part.gpuInstance)
        .filter(each -> each.computeInstance() == part.computeInstance)
        .findFirst();
  }

  private Optional<String> capability(String file) {
    String minor = HostTree.field(tree.text(file), "DeviceFileMinor");
    return Optional.of("/dev/nvidia-caps/nvidia-cap" + minor)
        .filter(path -> !minor.isEmpty() && tree.exists(path));
  }

  private List<CdiSpec.Device> channels() {
    Map<String, String> found = new LinkedHashMap<>();
    for (String name : tree.list(CHANNELS)) {
      Matcher channel = CHANNEL.matcher(name);
      if (channel.matches()) {
        found.put(channel.group(1), CHANNELS + "/" + name);
      }
    }
    List<CdiSpec.Device> devices = new ArrayList<>();
    found.forEach((number, path) -> devices.add(device(number, List.of(path))));
    if (!found.isEmpty()) {
      devices.add(device("all", List.copyOf(found.values())));
    }
    return devices;
  }

  /** What every container with a GPU gets. */
  private CdiEdits common() {
    List<Node> nodes = CONTROL.stream().filter(tree::exists).map(tree::node).toList();
    Map<String, Mount> mounts = new TreeMap<>();
    String release = release();
    if (!release.isEmpty()) {
      addLibraries(release, mounts);
      addFirmware(release, mounts);
    }
    for (String program : PROGRAMS) {
      PROGRAM_DIRECTORIES.stream()
          .map(directory -> directory + "/" + program)
          .filter(tree::exists)
          .findFirst()
          .ifPresent(path -> add(path, path, mounts));
    }
    DATA.stream().filter(tree::exists).forEach(path -> add(path, path, mounts));
    for (String socket : SOCKETS) {
      if (tree.exists(socket)) {
        mounts.put(
            socket,
            new Mount(
                tree.on(socket).toString(),
                socket,
                "",
                List.of("ro", "nosuid", "nodev", "rbind", "rprivate", "noexec")));
      }
    }
    // Who looks at it is told that the devices are there already.
    return new CdiEdits(
        List.of("NVIDIA_VISIBLE_DEVICES=void"),
        nodes,
        List.of(),
        List.copyOf(mounts.values()),
        List.of(),
        List.of(),
        Optional.empty());
  }

  private void add(String path, String inside, Map<String, Mount> mounts) {
    tree.resolve(path).ifPresent(real -> mounts.put(inside, tree.mount(real, inside)));
  }

  private void addFirmware(String release, Map<String, Mount> mounts) {
    String directory = "/lib/firmware/nvidia/" + release;
    for (String name : tree.list(directory)) {
      if (name.startsWith("gsp") && name.endsWith(".bin")) {
        add(directory + "/" + name, directory + "/" + name, mounts);
      }
    }
  }

  /** Every library of the driver, under its own name and under those of the links beside it. */
  private void addLibraries(String release, Map<String, Mount> mounts) {
    String end = ".so." + release;
    Set<String> directories = new TreeSet<>();
    for (LoaderCache.Entry entry : LoaderCache.parse(tree.bytes("/etc/ld.so.cache")).entries()) {
      if (entry.is64Bit()) {
        tree.resolve(entry.path())
            .filter(real -> real.endsWith(end))
            .ifPresent(real -> directories.add(String.valueOf(Path.of(real).getParent())));
      }
    }
    for (String directory : LIBRARY_DIRECTORIES) {
      if (tree.exists(directory + "/libcuda" + end)) {
        tree.resolve(directory).ifPresent(directories::add);
      }
    }
    for (String directory : List.copyOf(directories)) {
      for (String below : List.of("vdpau", "gbm")) {
        if (tree.exists(directory + "/" + below)) {
          directories.add(directory + "/" + below);
        }
      }
    }
    for (String directory : directories) {
      for (String name : tree.list(directory)) {
        String path = directory + "/" + name;
        if (name.contains(".so")) {
          tree.resolve(path)
              .filter(real -> real.endsWith(end))
              .ifPresent(real -> mounts.put(path, tree.mount(real, path)));
        }
      }
    }
  }

  List<Gpu> gpus() {
    List<Gpu> gpus = new ArrayList<>();
    String driver = ("nvidia " + release()).strip();
    for (Card card : cards()) {
      Gpu.Use use =
          measured(card)
              .map(each -> new Gpu.Use(each.memoryBytes(), each.memoryUsed(), each.busyPercent()))
              .orElse(Gpu.Use.UNKNOWN);
      String name = "nvidia.com/gpu=" + card.index;
      gpus.add(new Gpu(name, card.uuid, card.model, driver, card.pci, tree.on(nodes(card)), use));
      for (Part part : parts(card)) {
        gpus.add(part(card, part, name, driver));
      }
    }
    return gpus;
  }

  private Gpu part(Card card, Part part, String whole, String driver) {
    Optional<Nvml.Part> measured = measured(card, part);
    return new Gpu(
        whole + ":" + part.index,
        measured.map(Nvml.Part::uuid).orElse(""),
        card.model + " MIG",
        driver,
        card.pci,
        tree.on(part.capabilities),
        measured
            .map(each -> new Gpu.Use(each.memoryBytes(), each.memoryUsed(), OptionalInt.empty()))
            .orElse(Gpu.Use.UNKNOWN));
  }
}
