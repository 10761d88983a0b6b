package io.jrt.core.launch;

/** Steps of a start as jrt-init numbers them, from 1 in this order. */
enum Step {
  PLAN("read the launch plan"),
  KEEPER("become the container's keeper"),
  STDIO("make the pipes"),
  CGROUP("join the cgroup"),
  CLONE("clone the process"),
  OOM_SCORE("set the oom score"),
  USER_NAMESPACE("enter the user namespace"),
  NAMESPACE("enter the namespaces"),
  HOST("look at the host's /proc and /dev"),
  ROOTFS("attach the root filesystem"),
  MOUNT("mount"),
  DEVICE("make the device"),
  TERMINAL("open a terminal"),
  CONSOLE("bind the terminal to /dev/console"),
  MASKED("mask the path"),
  READONLY("make the path read-only"),
  READONLY_ROOT("make the root read-only"),
  SYSCTL("set the sysctl"),
  HOSTNAME("set the host name"),
  DOMAINNAME("set the domain name"),
  PIVOT("change the root"),
  NULL("open /dev/null"),
  RLIMIT("set the resource limit"),
  KEYRING("join a session keyring"),
  APPARMOR("set the apparmor profile"),
  SELINUX("set the selinux label"),
  SECCOMP("install the seccomp filter"),
  BOUNDING("drop capabilities"),
  GROUPS("set the supplementary groups"),
  GID("set the group"),
  UID("set the user"),
  CAPABILITIES("set capabilities"),
  AMBIENT("set ambient capabilities"),
  NO_NEW_PRIVS("set no_new_privs"),
  SESSION("start a session"),
  CWD("enter the working directory"),
  CWD_OUTSIDE("check the working directory"),
  EXEC("execute the program"),
  DIED("start the process"),
  HOOK("run the startContainer hook");

  private final String phrase;

  Step(String phrase) {
    this.phrase = phrase;
  }

  /** What was to be done, as part of a sentence. */
  String phrase() {
    return phrase;
  }

  static Step of(int number) {
    Step[] all = values();
    if (number < 1 || number > all.length) {
      throw new IllegalArgumentException("jrt-init reports the unknown step " + number);
    }
    return all[number - 1];
  }
}
