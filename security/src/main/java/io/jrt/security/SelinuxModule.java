package io.jrt.security;

import static java.nio.file.StandardOpenOption.WRITE;

import io.jrt.errors.ErrorKind;
import io.jrt.errors.JrtException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Labels made of the distribution's container contexts and a pair of categories of its own for each
 * pod, so that one pod's processes cannot touch another's files even when both run as root.
 */
final class SelinuxModule implements Selinux {
  private static final String STEP = "decide selinux label";
  private static final String DEFAULT_PROCESS = "system_u:system_r:container_t:s0";
  private static final String DEFAULT_FILE = "system_u:object_r:container_file_t:s0";
  private static final String DEFAULT_IMAGE = "system_u:object_r:container_ro_file_t:s0";
  private static final String PRIVILEGED_TYPE = "spc_t";

  /** What every process is labelled until a policy is loaded. */
  private static final String NO_POLICY = "kernel";

  private static final Pattern CONTEXT_LINE = Pattern.compile("(\\w+)\\s*=\\s*\"([^\"]+)\"");
  private static final Pattern PART = Pattern.compile("[A-Za-z0-9_.-]{1,128}");
  private static final String CATEGORIES = "c\\d{1,4}(\\.c\\d{1,4})?";
  private static final String SIDE = "s\\d{1,2}(:" + CATEGORIES + "(," + CATEGORIES + "){0,63})?";
  private static final Pattern LEVEL = Pattern.compile(SIDE + "(-" + SIDE + ")?");
  private static final Pattern PAIR = Pattern.compile("c(\\d{1,4}),c(\\d{1,4})");

  private final boolean enabled;
  private final int categories;
  private final Path selinuxfs;
  private final Context process;
  private final Context file;
  private final String privileged;
  private final String images;
  private final SecureRandom random = new SecureRandom();
  private final Object lock = new Object();

  /** Category pairs in use, and by how many: a pod's containers share their pod's. */
  private final Map<String, Integer> used = new HashMap<>();

  private record Context(String user, String role, String type, String level) {
    static Context parse(String text) {
      String[] parts = text.split(":", 4);
      if (parts.length < 3) {
        throw new JrtException(
            ErrorKind.INVALID, STEP, "selinux context \"%s\" is malformed".formatted(text));
      }
      return new Context(parts[0], parts[1], parts[2], parts.length == 4 ? parts[3] : "s0");
    }

    String with(String newLevel) {
      return user + ":" + role + ":" + type + ":" + newLevel;
    }
  }

  SelinuxModule(boolean wanted, int categories) {
    this(
        wanted,
        categories,
        Path.of("/sys/fs/selinux"),
        Path.of("/etc/selinux"),
        Path.of("/proc/self/attr/current"));
  }

  /**
   * @param current where the label of this process stands
   */
  SelinuxModule(boolean wanted, int categories, Path selinuxfs, Path etc, Path current) {
    if (categories < 2 || categories > 1024) {
      throw new JrtException(
          ErrorKind.INVALID, STEP, "%d selinux categories, not 2-1024".formatted(categories));
    }
    String own = label(current);
    this.enabled = wanted && Files.exists(selinuxfs.resolve("enforce")) && !own.equals(NO_POLICY);
    this.categories = categories;
    this.selinuxfs = selinuxfs;
    Map<String, String> contexts = enabled ? contexts(etc) : Map.of();
    this.process = Context.parse(contexts.getOrDefault("process", DEFAULT_PROCESS));
    this.file = Context.parse(contexts.getOrDefault("file", DEFAULT_FILE));
    String unconfined =
        new Context(process.user(), process.role(), PRIVILEGED_TYPE, process.level())
            .with(level(own).orElse(process.level()));
    this.privileged = enabled && isKnown(unconfined) ? unconfined : "";
    String content = contexts.getOrDefault("ro_file", DEFAULT_IMAGE);
    this.images = enabled && isKnown(content) ? content : "";
  }

  private static String label(Path current) {
    try {
      return Files.readString(current).replace("\0", "").strip();
    } catch (IOException e) {
      return ""; // no security module that labels processes
    }
  }

  @Override
  public boolean enabled() {
    return enabled;
  }

  @Override
  public SelinuxLabels allocate(SelinuxOptions options) {
    if (!enabled) {
      return SelinuxLabels.NONE;
    }
    Context asked =
        new Context(
            part("user", options.user(), process.user()),
            part("role", options.role(), process.role()),
            part("type", options.type(), process.type()),
            process.level());
    String level;
    if (options.level().isEmpty()) {
      level = sensitivity(process.level()) + ":" + newPair();
    } else {
      if (!LEVEL.matcher(options.level()).matches()) {
        throw malformed("level", options.level());
      }
      level = options.level();
      reserveLevel(level);
    }
    SelinuxLabels labels = new SelinuxLabels(asked.with(level), file.with(level));
    for (String label : List.of(labels.process(), labels.mount())) {
      if (!isKnown(label)) {
        release(labels.process());
        throw new JrtException(
            ErrorKind.INVALID,
            STEP,
            "selinux label \"%s\" is not in the policy of this node".formatted(label));
      }
    }
    return labels;
  }

  @Override
  public String privileged() {
    return privileged;
  }

  @Override
  public String images() {
    return images;
  }

  @Override
  public String volumes() {
    return enabled ? file.with(sensitivity(file.level())) : "";
  }

  /** Whether the kernel's policy has this label. */
  private boolean isKnown(String label) {
    Path question = selinuxfs.resolve("context");
    if (!Files.isWritable(question)) {
      return true; // it cannot be asked, and will say so when the label is used
    }
    try {
      Files.write(question, (label + "\0").getBytes(StandardCharsets.US_ASCII), WRITE);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  @Override
  public void reserve(String label) {
    if (enabled) {
      level(label).ifPresent(this::reserveLevel);
    }
  }

  @Override
  public void release(String label) {
    level(label)
        .flatMap(SelinuxModule::pair)
        .ifPresent(
            pair -> {
              synchronized (lock) {
                used.computeIfPresent(pair, (p, count) -> count > 1 ? count - 1 : null);
              }
            });
  }

  private String newPair() {
    synchronized (lock) {
      // Half of all possible pairs taken would be hundreds of thousands of pods: chance is enough.
      for (int attempt = 0; attempt < 10_000; attempt++) {
        int first = random.nextInt(categories);
        int second = random.nextInt(categories);
        if (first == second) {
          continue;
        }
        String pair = "c" + Math.min(first, second) + ",c" + Math.max(first, second);
        if (used.putIfAbsent(pair, 1) == null) {
          return pair;
        }
      }
    }
    throw new JrtException(
        ErrorKind.EXHAUSTED, STEP, "no free pair of %d selinux categories".formatted(categories));
  }

  private void reserveLevel(String level) {
    pair(level)
        .ifPresent(
            pair -> {
              synchronized (lock) {
                used.merge(pair, 1, Integer::sum);
              }
            });
  }

  private static Optional<String> level(String label) {
    String[] parts = label.split(":", 4);
    return parts.length == 4 ? Optional.of(parts[3]) : Optional.empty();
  }

  private static Optional<String> pair(String level) {
    Matcher matcher = PAIR.matcher(level);
    if (!matcher.find()) {
      return Optional.empty();
    }
    int first = Integer.parseInt(matcher.group(1));
    int second = Integer.parseInt(matcher.group(2));
    return Optional.of("c" + Math.min(first, second) + ",c" + Math.max(first, second));
  }

  private static String sensitivity(String level) {
    int colon = level.indexOf(':');
    return colon < 0 ? level : level.substring(0, colon);
  }

  private static String part(String what, String asked, String otherwise) {
    if (asked.isEmpty()) {
      return otherwise;
    }
    if (!PART.matcher(asked).matches()) {
      throw malformed(what, asked);
    }
    return asked;
  }

  private static Map<String, String> contexts(Path etc) {
    try {
      String type =
          Files.readAllLines(etc.resolve("config")).stream()
              .filter(line -> line.startsWith("SELINUXTYPE="))
              .map(line -> line.substring("SELINUXTYPE=".length()).strip())
              .findFirst()
              .orElse("targeted");
      Map<String, String> contexts = new HashMap<>();
      for (String line : Files.readAllLines(etc.resolve(type).resolve("contexts/lxc_contexts"))) {
        Matcher matcher = CONTEXT_LINE.matcher(line.strip());
        if (matcher.matches()) {
          contexts.put(matcher.group(1), matcher.group(2));
        }
      }
      return contexts;
    } catch (IOException e) {
      return Map.of(); // no container policy installed: the names of the reference policy hold
    }
  }

  private static JrtException malformed(String what, String value) {
    return new JrtException(
        ErrorKind.INVALID, STEP, "selinux %s \"%s\" is malformed".formatted(what, value));
  }

  Set<String> usedPairs() {
    synchronized (lock) {
      return new HashSet<>(used.keySet());
    }
  }
}
