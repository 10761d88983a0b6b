/*
 * jrt-init: all of jrt that runs outside the daemon. README.md beside this file tells how the parts
 * work together and has the formats of the plan, the reports and the records.
 *
 *   keeper    parent of one container: starts it, holds its stdio, records its exit
 *   exec      parent of one process started in a running container
 *   podinit   pid 1 of a pid namespace that the containers of a pod share
 *   userns    holds a new user namespace until it is pinned
 *   nsholder  holds new network, IPC and UTS namespaces until they are pinned
 *
 * Everything in a plan was decided and checked by the daemon; this program has no policy. It trusts
 * the daemon and the kernel, and nothing in the container.
 */
#include "sys.h"

/* ---- what is known of this process -------------------------------------------------------- */

#define REPORT 3 /* to the daemon in the keeper, to the keeper in its children */
#define MAX_FDS 4096
#define PLAN_FD 0 /* places in the list of received descriptors */
#define DIR_FD 1
#define FIRST_PLAN_FD 3 /* the lock is at 2 and is only held */

enum { KIND_CONTAINER = 1, KIND_EXEC = 2 };

enum {
  F_CLAMP = 1,
  F_READONLY_ROOT = 2,
  F_SHARED_ROOT = 4,
  F_NO_NEW_PRIVS = 8,
  F_TERMINAL = 16,
  F_STDIN = 32,
  F_POD_INIT = 64,
  F_BIND_DEVICES = 128,
  F_SET_OOM_SCORE = 256,
  F_HOOKS = 512,
};

/* Steps as the daemon names them; the numbers are part of the plan's version. */
enum step {
  S_PLAN = 1, S_KEEPER, S_STDIO, S_CGROUP, S_CLONE, S_OOM_SCORE, S_USER_NAMESPACE, S_NAMESPACE,
  S_HOST, S_ROOTFS, S_MOUNT, S_DEVICE, S_TERMINAL, S_CONSOLE, S_MASKED, S_READONLY,
  S_READONLY_ROOT, S_SYSCTL, S_HOSTNAME, S_DOMAINNAME, S_PIVOT, S_NULL, S_RLIMIT, S_KEYRING,
  S_APPARMOR, S_SELINUX, S_SECCOMP, S_BOUNDING, S_GROUPS, S_GID, S_UID, S_CAPABILITIES, S_AMBIENT,
  S_NO_NEW_PRIVS, S_SESSION, S_CWD, S_CWD_OUTSIDE, S_EXEC, S_DIED, S_HOOK,
};

/* What an S_EXEC report knows beyond errno. */
enum { X_PLAIN, X_DIRECTORY, X_INTERPRETER, X_MACHINE, X_FORMAT };

enum { R_FAILED = 1, R_PID, R_TERMINAL, R_CLAMPED, R_STARTED, R_EXITED, R_HOOKS };

struct report {
  u32 kind, step;
  s32 error;
  u32 index, extra;
  char text[236];
};

static int fds[MAX_FDS];
static u32 fd_count;
static int self_exe = -1;
static int std[3] = {-1, -1, -1};     /* the container's ends */
static int held[3] = {-1, -1, -1};    /* the daemon's ends */
static int terminal_master = -1, terminal_slave = -1;
static int done_read = -1, done_write = -1;
static u32 clamped;

/* ---- reports ------------------------------------------------------------------------------ */

static void send_report(struct report *r) {
  SYS(__NR_sendto, REPORT, r, sizeof *r, MSG_NOSIGNAL, 0, 0);
}

/* After a seccomp filter only plain writes can be counted on. */
static void write_report(u32 kind, u32 index) {
  struct report r = {.kind = kind, .index = index};
  sys_write(REPORT, &r, sizeof r);
}

static _Noreturn void fail_with(int step, long error, u32 index, u32 extra, const char *text) {
  struct report r = {
      .kind = R_FAILED, .step = step, .error = (s32)-error, .index = index, .extra = extra};
  copy_text(r.text, sizeof r.text, text);
  sys_write(REPORT, &r, sizeof r);
  sys_exit(1);
}

static _Noreturn void fail(int step, long error, u32 index) {
  fail_with(step, error, index, 0, "");
}

/* The result, or the end. */
static long need(long result, int step, u32 index) {
  if (result < 0) fail(step, result, index);
  return result;
}

static long send_fd(int socket, struct report *r, int fd) {
  struct iovec iov = {r, sizeof *r};
  struct {
    struct cmsghdr head;
    s32 fd, pad;
  } control = {{sizeof(struct cmsghdr) + 4, SOL_SOCKET, SCM_RIGHTS}, fd, 0};
  struct msghdr m = {.iov = &iov, .iov_count = 1, .control = &control,
                     .control_length = sizeof control};
  return SYS3(__NR_sendmsg, socket, &m, MSG_NOSIGNAL);
}

/* Receives one report and at most one descriptor. */
static long receive_report(int socket, struct report *r, int *fd) {
  struct iovec iov = {r, sizeof *r};
  struct {
    struct cmsghdr head;
    s32 fd, pad;
  } control;
  struct msghdr m = {.iov = &iov, .iov_count = 1, .control = &control,
                     .control_length = sizeof control};
  long n;
  do n = SYS3(__NR_recvmsg, socket, &m, MSG_CMSG_CLOEXEC);
  while (n == -EINTR);
  *fd = n > 0 && m.control_length >= sizeof(struct cmsghdr) + 4 ? control.fd : -1;
  return n;
}

/* ---- reading the plan --------------------------------------------------------------------- */

struct reader {
  const u8 *at, *end;
};

static struct reader plan;
static u8 *plan_memory;
static size_t plan_size;

static const void *take(struct reader *r, size_t n) {
  if ((size_t)(r->end - r->at) < n) fail(S_PLAN, -EBADMSG, 0);
  const void *p = r->at;
  r->at += n;
  return p;
}

static u32 get32(struct reader *r) {
  u32 v;
  memcpy(&v, take(r, 4), 4);
  return v;
}

static u64 get64(struct reader *r) {
  u64 v;
  memcpy(&v, take(r, 8), 8);
  return v;
}

/* A text, stored with its length and its NUL. */
static const char *get_text(struct reader *r) {
  u32 n = get32(r);
  const char *s = take(r, (size_t)n + 1);
  if (s[n]) fail(S_PLAN, -EBADMSG, 1);
  return s;
}

/* A descriptor by its place; negative places mean something else and are returned as they are. */
static int get_fd(struct reader *r) {
  s32 place = (s32)get32(r);
  if (place < 0) return place;
  if ((u32)place >= fd_count) fail(S_PLAN, -EBADMSG, 2);
  return fds[place];
}

enum { NS_NEW = -1, NS_HOST = -2 };

/* What is the same for a container and an exec, read first. */
struct common {
  u32 kind, flags, rows, columns;
  s32 oom_score;
  int cgroup;
  struct reader v1_tasks;
};

static void read_common(struct reader *r, struct common *c) {
  if (get32(r) != 0x5054524a || get32(r) != 1) fail(S_PLAN, -EBADMSG, 3);
  c->kind = get32(r);
  c->flags = get32(r);
  c->rows = get32(r);
  c->columns = get32(r);
  c->oom_score = (s32)get32(r);
  c->cgroup = get_fd(r);
  c->v1_tasks = *r;
  for (u32 n = get32(r); n; n--) get32(r);
}

/* Takes the descriptors that the daemon sends, the plan first, and maps the plan. */
static void receive_plan(void) {
  u32 total = 0;
  for (;;) {
    u32 word = 0;
    struct iovec iov = {&word, sizeof word};
    struct {
      struct cmsghdr head;
      s32 fd[254];
    } control;
    struct msghdr m = {.iov = &iov, .iov_count = 1, .control = &control,
                       .control_length = sizeof control};
    long n = SYS3(__NR_recvmsg, REPORT, &m, MSG_CMSG_CLOEXEC);
    if (n == -EINTR) continue;
    if (n <= 0) sys_exit(1); /* the daemon died: nothing was begun */
    if (!total) total = word;
    if (m.control_length > sizeof(struct cmsghdr)) {
      u32 got = (u32)((control.head.length - sizeof(struct cmsghdr)) / 4);
      for (u32 i = 0; i < got; i++) {
        if (fd_count == MAX_FDS) fail(S_PLAN, -EMFILE, 4);
        fds[fd_count++] = control.fd[i];
      }
    }
    if (!total || total > MAX_FDS) fail(S_PLAN, -EBADMSG, 5);
    if (fd_count >= total) break;
  }
  struct kstat st;
  need(sys_fstat(fds[PLAN_FD], &st), S_PLAN, 6);
  plan_size = (size_t)st.size;
  plan_memory = sys_mmap(plan_size, fds[PLAN_FD]);
  if (!plan_memory) fail(S_PLAN, -ENOMEM, 7);
  sys_close(fds[PLAN_FD]);
  plan.at = plan_memory;
  plan.end = plan_memory + plan_size;
}

/* ---- small things ------------------------------------------------------------------------- */

static u64 all_signals = ~(u64)0, no_signals;

/* No signal disturbs this process, and none is ignored in what it starts. */
static void take_no_signals(void) {
  SYS4(__NR_rt_sigprocmask, SIG_SETMASK, &all_signals, 0, SIGSET_BYTES);
  struct action standard = {0};
  for (int s = 1; s <= LAST_SIGNAL; s++) SYS4(__NR_rt_sigaction, s, &standard, 0, SIGSET_BYTES);
}

static long write_file(int dir, const char *path, const char *text) {
  long fd = sys_openat(dir, path, O_WRONLY | O_NOFOLLOW, 0);
  if (fd < 0) return fd;
  size_t n = length_of(text);
  long written = sys_write((int)fd, text, n);
  sys_close((int)fd);
  return written < 0 ? written : written == (long)n ? 0 : -EIO;
}

/* The host's procfs, and nothing that may look like it. */
static int open_proc(void) {
  int fd = (int)need(sys_openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY, 0), S_HOST, 1);
  struct statfs_head sf;
  struct kstat st;
  need(sys_fstatfs(fd, &sf), S_HOST, 2);
  need(sys_fstat(fd, &st), S_HOST, 3);
  if (sf.type != PROC_SUPER_MAGIC || st.ino != PROC_ROOT_INO) fail(S_HOST, -EXDEV, 4);
  return fd;
}

static u64 device_number(u32 major, u32 minor) {
  return ((u64)(major & 0xfffu) << 8) | ((u64)(major & ~0xfffu) << 32) | (minor & 0xffu) |
         ((u64)(minor & ~0xffu) << 12);
}

static int is_null_device(int fd) {
  struct kstat st;
  return sys_fstat(fd, &st) == 0 && (st.mode & S_IFMT) == S_IFCHR &&
         st.rdev == device_number(1, 3);
}

/* Field 22 of /proc/PID/stat, or 0. */
static u64 start_time(int pid) {
  char path[40] = "/proc/", text[512];
  char *end = put_number(path + 6, pid, '/');
  copy_text(end, 6, "stat");
  long fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
  if (fd < 0) return 0;
  long n = sys_read((int)fd, text, sizeof text);
  sys_close((int)fd);
  long at = n - 1;
  while (at > 0 && text[at] != ')') at--;
  int field = 2;
  u64 value = 0;
  for (; at < n && field < 23; at++) {
    if (text[at] == ' ') field++;
    else if (field == 22) value = value * 10 + (u64)(text[at] - '0');
  }
  return value;
}

/* ---- paths inside the rootfs -------------------------------------------------------------- */

#define PATH_LENGTH 4096

/*
 * Opens a path as a process with that root would see it, magic links refused, and makes what is
 * missing of it: directories, and a plain file at its end if it is not to be one.
 */
static long target_in_root(int root, const char *path, int directory, u64 resolve) {
  resolve |= CLEAN_RESOLVE;
  long fd = sys_openat2(root, path, O_PATH, resolve);
  if (fd != -ENOENT) return fd;
  char done[PATH_LENGTH];
  size_t length = length_of(path), start = 0;
  if (length >= sizeof done) return -ENAMETOOLONG;
  long parent = sys_openat2(root, ".", O_PATH | O_DIRECTORY, resolve);
  while (parent >= 0) {
    while (path[start] == '/') start++;
    size_t end = start;
    while (path[end] && path[end] != '/') end++;
    size_t next = end;
    while (path[next] == '/') next++;
    int last = !path[next], as_directory = directory || !last;
    memcpy(done, path, end);
    done[end] = 0;
    const char *name = done + start;
    /* From the root each time: a part that exists may be a symbolic link to anywhere in it. */
    long child = sys_openat2(root, done, O_PATH, resolve);
    if (child == -ENOENT) {
      long made;
      if (as_directory) {
        made = sys_mkdirat((int)parent, name, 0755);
      } else {
        made = sys_openat((int)parent, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0644);
        if (made >= 0) made = sys_close((int)made);
      }
      /* EEXIST here is a symbolic link to nowhere. */
      child = made < 0 ? made : sys_openat((int)parent, name, O_PATH | O_NOFOLLOW, 0);
    }
    sys_close((int)parent);
    if (last || child < 0) return child;
    parent = child;
    start = next;
  }
  return parent;
}

/* The directory of a path, made if missing, and in *name the last part. */
static long parent_in_root(int root, const char *path, const char **name) {
  char dir[PATH_LENGTH];
  size_t cut = length_of(path);
  while (cut && path[cut - 1] != '/') cut--;
  if (cut >= sizeof dir) return -ENAMETOOLONG;
  memcpy(dir, path, cut);
  dir[cut] = 0;
  *name = path + cut;
  return target_in_root(root, cut > 1 ? dir : ".", 1, 0);
}

/* ---- mounts ------------------------------------------------------------------------------- */

enum { M_ATTACH = 1, M_MAKE, M_RESTRICT, M_LINK };

/* What of a mount failed. */
enum { E_TARGET = 1, E_OPEN, E_OPTION, E_CREATE, E_MOUNT, E_MOVE, E_ROOT };

/* Whether a target is the root itself, where a link of the image may have led. */
static int is_root(int root, int target) {
  struct statx top = {0}, at = {0};
  return sys_statx(root, &top) == 0 && sys_statx(target, &at) == 0 &&
         at.stx_mnt_id == top.stx_mnt_id && at.stx_ino == top.stx_ino &&
         at.stx_dev_major == top.stx_dev_major && at.stx_dev_minor == top.stx_dev_minor;
}

static long attach(int mount, int target) {
  return sys_move_mount(mount, target, "", MOVE_MOUNT_T_EMPTY_PATH);
}

/* The SELinux label of the root of a mount. */
static long label_root(int mount, const char *label) {
  long top = sys_openat(mount, ".", O_RDONLY | O_DIRECTORY, 0);
  if (top < 0) return top;
  long result = SYS5(__NR_fsetxattr, top, "security.selinux", label, length_of(label) + 1, 0);
  sys_close((int)top);
  return result;
}

/*
 * A new filesystem as a detached mount. The options begin at the reader, which is left behind them.
 * A failing option's name, or what the kernel said, goes to text.
 */
static long make_mount(const char *type, const char *source, struct reader *options, u64 attributes,
                       int pidns, u32 *part, char *text, size_t room) {
  u32 n = get32(options);
  /* The message queues of an ipc namespace are there before any mount of them, and have no context. */
  int is_mqueue = same(type, "mqueue");
  const char *label = 0;
  long fs = SYS2(__NR_fsopen, type, FSOPEN_CLOEXEC);
  *part = E_OPEN;
  long result = fs;
  if (fs >= 0 && *source) {
    *part = E_OPTION;
    result = SYS5(__NR_fsconfig, fs, FSCONFIG_SET_STRING, "source", source, 0);
  }
  if (result >= 0 && pidns >= 0) {
    *part = E_OPTION;
    copy_text(text, room, "pidns");
    result = SYS5(__NR_fsconfig, fs, FSCONFIG_SET_FD, "pidns", 0, pidns);
  }
  for (; n; n--) {
    const char *key = get_text(options);
    u32 has_value = get32(options);
    const char *value = get_text(options);
    if (result < 0) continue;
    *part = E_OPTION;
    copy_text(text, room, key);
    if (is_mqueue && has_value && same(key, "context")) {
      label = value;
      continue;
    }
    result = has_value ? SYS5(__NR_fsconfig, fs, FSCONFIG_SET_STRING, key, value, 0)
                       : SYS5(__NR_fsconfig, fs, FSCONFIG_SET_FLAG, key, 0, 0);
  }
  if (result >= 0) {
    *part = E_CREATE;
    *text = 0;
    result = SYS5(__NR_fsconfig, fs, FSCONFIG_CMD_CREATE, 0, 0, 0);
  }
  if (result >= 0) {
    *part = E_MOUNT;
    result = SYS3(__NR_fsmount, fs, FSMOUNT_CLOEXEC, attributes);
    if (result >= 0 && label) {
      long labelled = label_root((int)result, label);
      if (labelled < 0) {
        sys_close((int)result);
        *part = E_OPTION;
        copy_text(text, room, "context");
        result = labelled;
      }
    }
  } else if (fs >= 0 && *part == E_CREATE) {
    long said = sys_read((int)fs, text, room - 1);
    text[said > 0 ? said : 0] = 0;
  }
  if (fs >= 0) sys_close((int)fs);
  return result;
}

/*
 * procfs for a pid namespace that this process does not live in, on a kernel without the option to
 * name one (before 6.17): made by a child that does live there for just that.
 */
static long proc_by_child(struct reader *options, u64 attributes, u32 *part, char *text,
                          size_t room) {
  int pair[2];
  long result = SYS4(__NR_socketpair, AF_UNIX, SOCK_SEQPACKET | O_CLOEXEC, 0, pair);
  if (result < 0) return result;
  struct report r = {0};
  long child = sys_clone(SIGCHLD);
  if (child == 0) {
    SYS3(__NR_close_range, 0, pair[1] - 1, 0);
    SYS3(__NR_close_range, pair[1] + 1, ~0u, 0);
    long fd = make_mount("proc", "proc", options, attributes, -1, &r.index, r.text, sizeof r.text);
    r.error = (s32)(fd < 0 ? fd : 0);
    if (fd >= 0) send_fd(pair[1], &r, (int)fd);
    else SYS(__NR_sendto, pair[1], &r, sizeof r, MSG_NOSIGNAL, 0, 0);
    sys_exit(0);
  }
  sys_close(pair[1]);
  int fd = -1;
  if (child < 0) {
    result = child;
  } else if (receive_report(pair[0], &r, &fd) <= 0) {
    result = -EIO;
  } else {
    *part = r.index;
    copy_text(text, room, r.text);
    result = fd >= 0 ? fd : r.error;
  }
  sys_close(pair[0]);
  if (child > 0) {
    struct child_info info;
    sys_waitid(P_PID, (int)child, &info, WEXITED, 0);
  }
  u32 n = get32(options);
  for (; n; n--) get_text(options), get32(options), get_text(options);
  return result;
}

static void do_mounts(struct reader *r, int root, int pidns) {
  char text[sizeof(((struct report *)0)->text)];
  u32 count = get32(r);
  for (u32 i = 0; i < count; i++) {
    long result = 0;
    u32 part = E_TARGET;
    *text = 0;
    switch (get32(r)) {
      case M_ATTACH: {
        int mount = get_fd(r);
        u32 directory = get32(r);
        result = target_in_root(root, get_text(r), (int)directory, 0);
        if (result >= 0) {
          int target = (int)result, over_root = is_root(root, target);
          part = over_root ? E_ROOT : E_MOVE;
          result = over_root ? -EINVAL : attach(mount, target);
          sys_close(target);
        }
        break;
      }
      case M_MAKE: {
        const char *type = get_text(r), *source = get_text(r), *target = get_text(r);
        u64 attributes = get64(r);
        int is_proc = same(type, "proc");
        /* A link in the image must not decide where the kernel's own files appear. */
        u64 resolve = is_proc || same(type, "sysfs") ? RESOLVE_NO_SYMLINKS : 0;
        long at = target_in_root(root, target, 1, resolve);
        struct reader options = *r;
        if (at >= 0 && is_root(root, (int)at)) {
          sys_close((int)at);
          part = E_ROOT;
          at = -EINVAL;
        }
        if (at < 0) {
          result = at;
          u32 n = get32(r);
          for (; n; n--) get_text(r), get32(r), get_text(r);
          break;
        }
        result = make_mount(type, source, r, attributes, is_proc ? pidns : -1, &part, text,
                            sizeof text);
        if (result == -EINVAL && is_proc && pidns >= 0 && part == E_OPTION) {
          result = proc_by_child(&options, attributes, &part, text, sizeof text);
        }
        if (result >= 0) {
          int mount = (int)result;
          part = E_MOVE;
          result = attach(mount, (int)at);
          sys_close(mount);
        }
        sys_close((int)at);
        break;
      }
      case M_RESTRICT: {
        const char *target = get_text(r);
        u64 attributes = get64(r);
        u32 recursive = get32(r);
        result = sys_openat2(root, target, O_PATH, CLEAN_RESOLVE);
        if (result >= 0) {
          int at = (int)result;
          part = E_MOUNT;
          result = sys_mount_setattr(at, recursive ? AT_RECURSIVE : 0, attributes);
          sys_close(at);
        }
        break;
      }
      case M_LINK: {
        const char *target = get_text(r), *content = get_text(r), *name;
        result = parent_in_root(root, target, &name);
        if (result >= 0) {
          int at = (int)result;
          result = SYS3(__NR_symlinkat, content, at, name);
          if (result == -EEXIST) result = 0;
          sys_close(at);
        }
        break;
      }
      default:
        fail(S_PLAN, -EBADMSG, 8);
    }
    if (result < 0) fail_with(S_MOUNT, result, i, part, text);
  }
}

/* Binds the host's node at a path; it must be the very device that was asked for. */
static long bind_device(int root, const char *path, const char *host_path, u32 type, u64 number) {
  long host = sys_openat(AT_FDCWD, host_path, O_PATH, 0);
  if (host < 0) return host;
  struct kstat st;
  long result = sys_fstat((int)host, &st);
  if (result >= 0 && ((st.mode & S_IFMT) != type || st.rdev != number)) result = -ENODEV;
  if (result >= 0) result = sys_open_tree((int)host, "", AT_EMPTY_PATH | OPEN_TREE_CLONE);
  sys_close((int)host);
  if (result < 0) return result;
  int tree = (int)result;
  result = target_in_root(root, path, 0, 0);
  if (result >= 0) {
    int target = (int)result;
    result = attach(tree, target);
    sys_close(target);
  }
  sys_close(tree);
  return result;
}

static long make_device(int root, const char *path, u32 mode, u64 number, u32 uid, u32 gid) {
  const char *name;
  long result = parent_in_root(root, path, &name);
  if (result < 0) return result;
  int dir = (int)result;
  result = SYS4(__NR_mknodat, dir, name, mode, number);
  if (result == -EEXIST) {
    struct kstat st;
    result = sys_fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW);
    if (result >= 0 && ((st.mode & S_IFMT) != (mode & S_IFMT) || st.rdev != number)) {
      result = -EEXIST;
    }
  } else if (result >= 0 && (uid || gid)) {
    result = SYS5(__NR_fchownat, dir, name, uid, gid, AT_SYMLINK_NOFOLLOW);
  }
  sys_close(dir);
  return result;
}

static void do_devices(struct reader *r, int root, u32 flags) {
  u32 count = get32(r);
  for (u32 i = 0; i < count; i++) {
    u32 mode = get32(r), major = get32(r), minor = get32(r), uid = get32(r), gid = get32(r);
    const char *path = get_text(r), *host_path = get_text(r);
    u64 number = device_number(major, minor);
    int bind = (flags & F_BIND_DEVICES) && (mode & S_IFMT) != S_IFIFO;
    long result = bind ? bind_device(root, path, host_path, mode & S_IFMT, number)
                       : make_device(root, path, mode, number, uid, gid);
    if (result < 0) fail(S_DEVICE, result, i);
  }
}

/* ---- terminal ----------------------------------------------------------------------------- */

/*
 * Opens a terminal of the container's devpts. Only descriptors are used from the first look-up on,
 * so what the names mean later does not matter.
 */
static void open_terminal(int root, u32 rows, u32 columns, u32 uid) {
  long ptmx = sys_openat2(root, "dev/pts/ptmx", O_RDWR | O_NOCTTY,
                          CLEAN_RESOLVE | RESOLVE_NO_SYMLINKS);
  need(ptmx, S_TERMINAL, 1);
  struct statfs_head sf;
  need(sys_fstatfs((int)ptmx, &sf), S_TERMINAL, 2);
  if (sf.type != DEVPTS_SUPER_MAGIC) fail(S_TERMINAL, -ENODEV, 3);
  int unlocked = 0;
  need(sys_ioctl((int)ptmx, TIOCSPTLCK, (unsigned long)&unlocked), S_TERMINAL, 4);
  long slave = sys_ioctl((int)ptmx, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  need(slave, S_TERMINAL, 5);
  struct winsize size = {.rows = (uint16_t)rows, .columns = (uint16_t)columns};
  if (rows && columns) {
    need(sys_ioctl((int)ptmx, TIOCSWINSZ, (unsigned long)&size), S_TERMINAL, 6);
  }
  need(SYS3(__NR_fchown, slave, uid, -1), S_TERMINAL, 7);
  terminal_master = (int)ptmx;
  terminal_slave = (int)slave;
}

/* Hands the master to the parent, which keeps it. */
static void give_terminal(void) {
  struct report r = {.kind = R_TERMINAL};
  need(send_fd(REPORT, &r, terminal_master), S_TERMINAL, 8);
  sys_close(terminal_master);
  std[0] = std[1] = std[2] = terminal_slave;
}

static void bind_console(int root) {
  long tree = sys_open_tree(terminal_slave, "", AT_EMPTY_PATH | OPEN_TREE_CLONE);
  need(tree, S_CONSOLE, 1);
  long target = need(target_in_root(root, "/dev/console", 0, RESOLVE_NO_SYMLINKS), S_CONSOLE, 2);
  need(attach((int)tree, (int)target), S_CONSOLE, 3);
  sys_close((int)tree);
  sys_close((int)target);
}

/* ---- hiding ------------------------------------------------------------------------------- */

static int hidden_as_absent(long error) { return error == -ENOENT || error == -ENOTDIR; }

static void mask_paths(struct reader *r, int root, int null) {
  long empty = -1;
  u32 count = get32(r);
  for (u32 i = 0; i < count; i++) {
    long at = sys_openat2(root, get_text(r), O_PATH, CLEAN_RESOLVE);
    if (hidden_as_absent(at)) continue;
    need(at, S_MASKED, i);
    struct kstat st;
    need(sys_fstat((int)at, &st), S_MASKED, i);
    long cover;
    if ((st.mode & S_IFMT) != S_IFDIR) {
      cover = sys_open_tree(null, "", AT_EMPTY_PATH | OPEN_TREE_CLONE);
    } else if (empty >= 0) {
      cover = sys_open_tree((int)empty, "", AT_EMPTY_PATH | OPEN_TREE_CLONE);
    } else {
      long fs = need(SYS2(__NR_fsopen, "tmpfs", FSOPEN_CLOEXEC), S_MASKED, i);
      SYS5(__NR_fsconfig, fs, FSCONFIG_SET_STRING, "nr_inodes", "2", 0);
      SYS5(__NR_fsconfig, fs, FSCONFIG_SET_STRING, "mode", "755", 0);
      need(SYS5(__NR_fsconfig, fs, FSCONFIG_CMD_CREATE, 0, 0, 0), S_MASKED, i);
      empty = cover = SYS3(__NR_fsmount, fs, FSMOUNT_CLOEXEC,
                           MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
                               MOUNT_ATTR_NOEXEC);
      sys_close((int)fs);
    }
    need(cover, S_MASKED, i);
    need(attach((int)cover, (int)at), S_MASKED, i);
    if (cover != empty) sys_close((int)cover);
    sys_close((int)at);
  }
  if (empty >= 0) sys_close((int)empty);
}

static void make_paths_readonly(struct reader *r, int root) {
  u32 count = get32(r);
  for (u32 i = 0; i < count; i++) {
    long at = sys_openat2(root, get_text(r), O_PATH, CLEAN_RESOLVE);
    if (hidden_as_absent(at)) continue;
    need(at, S_READONLY, i);
    long tree = sys_open_tree((int)at, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | AT_RECURSIVE);
    need(tree, S_READONLY, i);
    need(sys_mount_setattr((int)tree, AT_RECURSIVE, MOUNT_ATTR_RDONLY), S_READONLY, i);
    need(attach((int)tree, (int)at), S_READONLY, i);
    sys_close((int)tree);
    sys_close((int)at);
  }
}

/* ---- the process itself ------------------------------------------------------------------- */

/* The last part of a plan. Texts and arrays point into it. */
struct process {
  u32 flags, rlimit_count;
  struct reader rlimits;
  u32 uid, gid, umask, group_count;
  const void *groups;
  u64 bounding, effective, permitted, inheritable, ambient;
  u32 seccomp_flags, seccomp_bytes;
  const void *seccomp;
  const char *apparmor, *selinux, *cwd;
  const char **argv, **envp;
  struct reader *hooks; /* of the container, right before its program; or none */
};

/* Arguments and environment, each with the end that execve wants. */
static void read_texts(struct reader *r, const char ***argv, const char ***envp) {
  u32 argc = get32(r), envc = get32(r);
  *argv = sys_mmap(((size_t)argc + envc + 2) * sizeof(char *), -1);
  if (!*argv) fail(S_PLAN, -ENOMEM, 9);
  *envp = *argv + argc + 1;
  for (u32 i = 0; i < argc; i++) (*argv)[i] = get_text(r);
  for (u32 i = 0; i < envc; i++) (*envp)[i] = get_text(r);
}

static void read_process(struct reader *r, struct process *p, u32 flags) {
  p->flags = flags;
  p->rlimit_count = get32(r);
  p->rlimits = *r;
  take(r, (size_t)p->rlimit_count * 20);
  p->uid = get32(r);
  p->gid = get32(r);
  p->umask = get32(r);
  p->group_count = get32(r);
  p->groups = take(r, (size_t)p->group_count * 4);
  p->bounding = get64(r);
  p->effective = get64(r);
  p->permitted = get64(r);
  p->inheritable = get64(r);
  p->ambient = get64(r);
  p->seccomp_flags = get32(r);
  p->seccomp_bytes = get32(r);
  p->seccomp = take(r, p->seccomp_bytes);
  p->apparmor = get_text(r);
  p->selinux = get_text(r);
  p->cwd = get_text(r);
  read_texts(r, &p->argv, &p->envp);
  p->hooks = 0;
}

enum { CLAMPED_OOM_SCORE, CLAMPED_CAPABILITIES, CLAMPED_RLIMIT };

static void set_rlimits(struct process *p) {
  for (u32 i = 0; i < p->rlimit_count; i++) {
    u32 resource = get32(&p->rlimits);
    u64 wanted[2], now[2];
    wanted[0] = get64(&p->rlimits);
    wanted[1] = get64(&p->rlimits);
    long result = SYS4(__NR_prlimit64, 0, resource, wanted, 0);
    if (result == -EPERM && (p->flags & F_CLAMP)) {
      need(SYS4(__NR_prlimit64, 0, resource, 0, now), S_RLIMIT, i);
      if (wanted[1] > now[1]) wanted[1] = now[1];
      if (wanted[0] > wanted[1]) wanted[0] = wanted[1];
      result = SYS4(__NR_prlimit64, 0, resource, wanted, 0);
      write_report(R_CLAMPED, CLAMPED_RLIMIT + i);
    }
    need(result, S_RLIMIT, i);
  }
}

static void set_oom_score(s32 score, u32 flags, int proc) {
  if (!(flags & F_SET_OOM_SCORE)) return;
  char text[16];
  *put_number(text, score, '\n') = 0;
  long result = write_file(proc, "self/oom_score_adj", text);
  if ((result == -EACCES || result == -EPERM) && (flags & F_CLAMP)) {
    write_report(R_CLAMPED, CLAMPED_OOM_SCORE);
    result = 0;
  }
  need(result, S_OOM_SCORE, 0);
}

/* Labels take effect at the execve to come, of this process or of a child it clones. */
static void set_labels(struct process *p, int proc) {
  if (*p->apparmor) {
    char text[PATH_LENGTH] = "exec ";
    copy_text(text + 5, sizeof text - 5, p->apparmor);
    long result = write_file(proc, "self/attr/apparmor/exec", text);
    if (result == -ENOENT) result = write_file(proc, "self/attr/exec", text);
    need(result, S_APPARMOR, 0);
  }
  if (*p->selinux) need(write_file(proc, "self/attr/exec", p->selinux), S_SELINUX, 0);
}

static void set_seccomp(struct process *p) {
  if (!p->seccomp_bytes) return;
  struct program program = {(uint16_t)(p->seccomp_bytes / 8), p->seccomp};
  need(SYS3(__NR_seccomp, SECCOMP_SET_MODE_FILTER, p->seccomp_flags, &program), S_SECCOMP, 0);
}

static long enter_cwd(struct process *p) {
  long dir = sys_openat2(AT_FDCWD, p->cwd, O_PATH | O_DIRECTORY, RESOLVE_NO_MAGICLINKS);
  if (dir < 0) return dir;
  long result = SYS1(__NR_fchdir, dir);
  sys_close((int)dir);
  return result;
}

/* Ids and capabilities, so that nothing is left that the container's process must not have. */
static void drop_privileges(struct process *p) {
  struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct sets[2];
  need(SYS2(__NR_capget, &head, sets), S_CAPABILITIES, 1);
  u64 own = sets[0].permitted | (u64)sets[1].permitted << 32;
  int last = 0;
  while (sys_prctl(PR_CAPBSET_READ, (unsigned long)last + 1, 0, 0) >= 0) last++;
  u64 known = last >= 63 ? ~(u64)0 : ((u64)1 << (last + 1)) - 1;
  u64 permitted = p->permitted & known, effective = p->effective & known;
  if (permitted & ~own) {
    if (!(p->flags & F_CLAMP)) fail(S_CAPABILITIES, -EPERM, 2);
    write_report(R_CLAMPED, CLAMPED_CAPABILITIES);
    permitted &= own;
    effective &= own;
  }
  u64 inheritable = p->inheritable & permitted, ambient = p->ambient & permitted & inheritable;

  for (int cap = 0; cap <= last; cap++) {
    if (!(p->bounding >> cap & 1)) {
      need(sys_prctl(PR_CAPBSET_DROP, (unsigned long)cap, 0, 0), S_BOUNDING, (u32)cap);
    }
  }
  need(sys_prctl(PR_SET_KEEPCAPS, 1, 0, 0), S_CAPABILITIES, 3);
  need(SYS2(__NR_setgroups, p->group_count, p->groups), S_GROUPS, 0);
  need(SYS3(__NR_setresgid, p->gid, p->gid, p->gid), S_GID, p->gid);
  /* A directory only root may enter is entered as root; the ids are tried if root may not. */
  long entered = enter_cwd(p);
  need(SYS3(__NR_setresuid, p->uid, p->uid, p->uid), S_UID, p->uid);
  if (entered < 0) need(enter_cwd(p), S_CWD, 0);
  char where[PATH_LENGTH];
  long n = SYS2(__NR_getcwd, where, sizeof where);
  need(n, S_CWD_OUTSIDE, 0);
  if (where[0] != '/') fail(S_CWD_OUTSIDE, -EXDEV, 1);

  sets[0] = (struct __user_cap_data_struct){(u32)effective, (u32)permitted, (u32)inheritable};
  sets[1] = (struct __user_cap_data_struct){(u32)(effective >> 32), (u32)(permitted >> 32),
                                            (u32)(inheritable >> 32)};
  need(SYS2(__NR_capset, &head, sets), S_CAPABILITIES, 4);
  sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0);
  for (int cap = 0; cap <= last; cap++) {
    if (ambient >> cap & 1) {
      need(sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, (unsigned long)cap, 0), S_AMBIENT,
           (u32)cap);
    }
  }
  SYS1(__NR_umask, p->umask);
}

/* Whether a file that could not be executed is of another machine, or lacks its interpreter. */
static _Noreturn void explain_exec(const char *path, long error) {
  struct kstat st;
  u8 head[4096];
  if (sys_fstatat(AT_FDCWD, path, &st, 0) < 0) fail_with(S_EXEC, error, 0, X_PLAIN, path);
  if ((st.mode & S_IFMT) == S_IFDIR) fail_with(S_EXEC, error, 0, X_DIRECTORY, path);
  long fd = error == -ENOENT || error == -ENOEXEC || error == -ELIBBAD
                ? sys_openat(AT_FDCWD, path, O_RDONLY, 0)
                : -1;
  long n = fd < 0 ? 0 : sys_read((int)fd, head, sizeof head - 1);
  if (n < 4) fail_with(S_EXEC, error, 0, error == -ENOEXEC ? X_FORMAT : X_PLAIN, path);
  head[n] = 0;
  if (head[0] == '#' && head[1] == '!') {
    long at = 2, end;
    while (head[at] == ' ' || head[at] == '\t') at++;
    for (end = at; head[end] > ' ';) end++;
    head[end] = 0;
    fail_with(S_EXEC, error, 0, X_INTERPRETER, (const char *)head + at);
  }
  if (n < 64 || head[0] != 0x7f || head[1] != 'E' || head[2] != 'L' || head[3] != 'F') {
    fail_with(S_EXEC, error, 0, error == -ENOEXEC ? X_FORMAT : X_PLAIN, path);
  }
  u32 machine = head[18] | (u32)head[19] << 8;
  if (machine != ARCH_MACHINE) fail_with(S_EXEC, error, machine, X_MACHINE, path);
  if (head[4] == 2) { /* 64 bits: the program headers name the interpreter */
    u64 table, size = head[54] | (u64)head[55] << 8, count = head[56] | (u64)head[57] << 8;
    memcpy(&table, head + 32, 8);
    for (u64 i = 0; i < count && size >= 56; i++) {
      u8 entry[56];
      char name[200];
      u64 offset;
      u32 type;
      if (SYS4(__NR_pread64, fd, entry, 56, table + i * size) != 56) break;
      memcpy(&type, entry, 4);
      memcpy(&offset, entry + 8, 8);
      if (type != 3) continue; /* PT_INTERP */
      long m = SYS4(__NR_pread64, fd, name, sizeof name - 1, offset);
      if (m <= 0) break;
      name[m] = 0;
      fail_with(S_EXEC, error, 0, X_INTERPRETER, name);
    }
  }
  fail_with(S_EXEC, error, 0, error == -ENOEXEC ? X_FORMAT : X_PLAIN, path);
}

/* Executes the first argument, looked up in the container's PATH as execvp does. */
static _Noreturn void run_program(struct process *p) {
  const char *name = p->argv[0], *path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  if (!*name) fail_with(S_EXEC, -ENOENT, 0, X_PLAIN, name);
  for (const char *c = name; *c; c++) {
    if (*c == '/') explain_exec(name, SYS3(__NR_execve, name, p->argv, p->envp));
  }
  for (const char **e = p->envp; *e; e++) {
    const char *v = *e;
    if (v[0] == 'P' && v[1] == 'A' && v[2] == 'T' && v[3] == 'H' && v[4] == '=') {
      path = v + 5;
      break;
    }
  }
  static char candidate[PATH_LENGTH], denied[PATH_LENGTH];
  size_t name_length = length_of(name);
  while (*path) {
    size_t n = 0;
    while (path[n] && path[n] != ':') n++;
    if (n && n + name_length + 2 < sizeof candidate) {
      memcpy(candidate, path, n);
      candidate[n] = '/';
      memcpy(candidate + n + 1, name, name_length + 1);
      long error = SYS3(__NR_execve, candidate, p->argv, p->envp);
      struct kstat st;
      int there = sys_fstatat(AT_FDCWD, candidate, &st, 0) == 0;
      if (error == -EACCES) {
        /* A directory of that name on the way is not what was meant. */
        if (!there || (st.mode & S_IFMT) != S_IFDIR) copy_text(denied, sizeof denied, candidate);
      } else if ((error != -ENOENT && error != -ENOTDIR) || there) {
        explain_exec(candidate, error);
      }
    }
    path += n;
    if (*path == ':') path++;
  }
  if (*denied) fail_with(S_EXEC, -EACCES, 0, X_PLAIN, denied);
  fail_with(S_EXEC, -ENOENT, 0, X_PLAIN, name);
}

/* The end of a child, or what kept it from being seen; a child that takes too long is killed. */
static long await_child(int pid, u32 seconds) {
  struct timespec64 patience = {seconds, 0};
  u64 mask = (u64)1 << (SIGCHLD - 1);
  for (;;) {
    struct child_info info = {0};
    long result = sys_waitid(P_PID, pid, &info, WEXITED | WNOHANG, 0);
    if (result < 0) return result;
    if (info.pid == pid) return info.code == CLD_EXITED ? info.status : 128 + info.status;
    /* Signals are blocked still: the end of a child can only be pending. */
    result = SYS4(__NR_rt_sigtimedwait, &mask, 0, seconds ? &patience : 0, SIGSET_BYTES);
    if (result == -EAGAIN) {
      sys_kill(pid, SIGKILL);
      sys_waitid(P_PID, pid, &info, WEXITED, 0);
      return -ETIMEDOUT;
    }
  }
}

/* Programs of the container's own file system that run before its own program, one by one. */
static void run_hooks(struct reader r) {
  const char *before = get_text(&r), *after = get_text(&r);
  char pid[16];
  *put_number(pid, (s64)SYS0(__NR_getpid), 0) = 0;
  u32 count = get32(&r);
  for (u32 i = 0; i < count; i++) {
    const char *path = get_text(&r), **argv, **envp;
    u32 seconds = get32(&r);
    read_texts(&r, &argv, &envp);
    long state = need(SYS2(__NR_memfd_create, "state", MFD_CLOEXEC), S_HOOK, i);
    need(sys_write((int)state, before, length_of(before)), S_HOOK, i);
    need(sys_write((int)state, pid, length_of(pid)), S_HOOK, i);
    need(sys_write((int)state, after, length_of(after)), S_HOOK, i);
    need(SYS3(__NR_lseek, state, 0, 0), S_HOOK, i);
    long child = need(sys_clone(SIGCHLD), S_HOOK, i);
    if (child == 0) {
      sys_dup3((int)state, 0, 0);
      SYS4(__NR_rt_sigprocmask, SIG_SETMASK, &no_signals, 0, SIGSET_BYTES);
      SYS3(__NR_execve, path, argv, envp);
      sys_exit(127);
    }
    sys_close((int)state);
    long status = await_child((int)child, seconds);
    if (status < 0) fail(S_HOOK, status, i);
    if (status > 0) fail_with(S_HOOK, -ECHILD, i, (u32)status, "");
  }
}

/*
 * From here the process is the container's: its root, its ids. When it is to live in a pid namespace
 * that others are in, it is born only now, so that they never see one with a right or a descriptor
 * that they lack; the one that cloned it ends, and the keeper is its parent.
 */
static _Noreturn void become_program(struct process *p, int clone_late) {
  drop_privileges(p);
  sys_dup3(std[0], 0, 0);
  sys_dup3(std[1], 1, 0);
  sys_dup3(std[2], 2, 0);
  int exe = -1;
  if (p->flags & F_POD_INIT) {
    /* One with a label of its own begins with the copy in its root, which the policy has a rule for. */
    long own = *p->selinux ? need(sys_openat(AT_FDCWD, "/jrt-init", O_PATH, 0), S_EXEC, 0) : self_exe;
    sys_dup3((int)own, 4, O_CLOEXEC);
    exe = 4;
  }
  SYS3(__NR_close_range, exe < 0 ? 4 : 5, ~0u, 0);
  if (clone_late) {
    long pid = sys_clone(CLONE_PARENT | SIGCHLD);
    need(pid, S_CLONE, 2);
    if (pid > 0) {
      write_report(R_PID, (u32)pid);
      sys_exit(0);
    }
  }
  if (p->hooks) run_hooks(*p->hooks);
  need(SYS0(__NR_setsid), S_SESSION, 0);
  if (p->flags & F_TERMINAL) need(sys_ioctl(0, TIOCSCTTY, 0), S_SESSION, 1);
  if (p->flags & F_NO_NEW_PRIVS) {
    need(sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0), S_NO_NEW_PRIVS, 0);
    set_seccomp(p);
  }
  if (exe >= 0) {
    /* Signals stay blocked into the pod's init, which waits for them: pid 1 would lose one that
       comes before it does, and with it the request to end. */
    long error = SYS5(__NR_execveat, exe, "", p->argv, p->envp, AT_EMPTY_PATH);
    fail_with(S_EXEC, error, 0, X_PLAIN, "jrt-init");
  }
  SYS4(__NR_rt_sigprocmask, SIG_SETMASK, &no_signals, 0, SIGSET_BYTES);
  run_program(p);
}

/* Standard input that is no pipe: the container's own null device, if it is one. */
static void use_null_input(int host_null) {
  if (std[0] >= 0) return;
  long fd = sys_openat(AT_FDCWD, "/dev/null", O_RDWR | O_NOCTTY, 0);
  if (fd >= 0 && is_null_device((int)fd)) {
    std[0] = (int)fd;
  } else {
    std[0] = host_null;
  }
}

/* ---- a container -------------------------------------------------------------------------- */

struct namespaces {
  int user, pid, net, ipc, uts, cgroup;
};

/*
 * By "tasks", not "cgroup.procs": the only thread of a process that moves itself needs no lock against
 * forks and exits, so it does not wait for a grace period of RCU in each hierarchy.
 */
static void join_v1_cgroups(struct common *c) {
  struct reader r = c->v1_tasks;
  u32 count = get32(&r);
  for (u32 i = 0; i < count; i++) need(sys_write(get_fd(&r), "0", 1), S_CGROUP, i);
}

static void join(int namespace, unsigned long kind, u32 index) {
  if (namespace >= 0) need(sys_setns(namespace, kind), S_NAMESPACE, index);
}

static void become_namespace_root(void) {
  need(SYS2(__NR_setgroups, 0, 0), S_USER_NAMESPACE, 1);
  need(SYS3(__NR_setresgid, 0, 0, 0), S_USER_NAMESPACE, 2);
  need(SYS3(__NR_setresuid, 0, 0, 0), S_USER_NAMESPACE, 3);
}

static unsigned long new_namespaces(struct namespaces *ns) {
  return CLONE_NEWNS | (ns->net == NS_NEW ? CLONE_NEWNET : 0) |
         (ns->ipc == NS_NEW ? CLONE_NEWIPC : 0) | (ns->uts == NS_NEW ? CLONE_NEWUTS : 0);
}

/*
 * Stops while the daemon runs hooks, which know this process by its pid and enter its mount
 * namespace. The keeper passes the question on, and the answer back.
 */
static void await_hooks(int proc) {
  struct report r = {.kind = R_HOOKS};
  long n = SYS4(__NR_readlinkat, proc, "self", r.text, sizeof r.text - 1);
  need(n, S_HOST, 10);
  send_report(&r);
  u8 go;
  if (sys_read(REPORT, &go, 1) != 1) sys_exit(1); /* the daemon said no, or is gone */
}

/* In the new mount namespace: builds the tree, makes it the root, and becomes the program. */
static _Noreturn void enter_container(struct reader r, struct common *c, struct namespaces *ns,
                                      int pidns, int proc) {
  join(ns->net, CLONE_NEWNET, 2);
  join(ns->ipc, CLONE_NEWIPC, 3);
  join(ns->uts, CLONE_NEWUTS, 4);
  join(ns->cgroup, CLONE_NEWCGROUP, 5);
  if (ns->cgroup == NS_NEW) need(sys_unshare(CLONE_NEWCGROUP), S_NAMESPACE, 5);

  need(SYS5(__NR_mount, 0, "/", 0, MS_REC | MS_SLAVE, 0), S_HOST, 5);
  long null = need(sys_openat(AT_FDCWD, "/dev/null", O_PATH | O_NOFOLLOW, 0), S_HOST, 6);
  if (!is_null_device((int)null)) fail(S_HOST, -ENODEV, 7);
  long host_null = need(sys_openat(AT_FDCWD, "/dev/null", O_RDWR | O_NOFOLLOW, 0), S_HOST, 8);

  int root = get_fd(&r);
  const char *hostname = get_text(&r), *domainname = get_text(&r);
  if (*hostname) {
    need(SYS2(__NR_sethostname, hostname, length_of(hostname)), S_HOSTNAME, 0);
  }
  if (*domainname) {
    need(SYS2(__NR_setdomainname, domainname, length_of(domainname)), S_DOMAINNAME, 0);
  }
  /* Hooks look for the tree at a path; without them it needs none. */
  const char *place = c->flags & F_HOOKS ? get_text(&r) : "/";
  need(sys_move_mount(root, AT_FDCWD, place, 0), S_ROOTFS, 0);
  do_mounts(&r, root, pidns);
  do_devices(&r, root, c->flags);
  if (c->flags & F_HOOKS) await_hooks(proc);

  struct reader masked = r;
  for (u32 n = get32(&r); n; n--) get_text(&r);
  struct reader readonly = r;
  for (u32 n = get32(&r); n; n--) get_text(&r);
  struct reader sysctls = r;
  for (u32 n = get32(&r); n; n--) get_text(&r), get_text(&r);
  struct process p;
  read_process(&r, &p, c->flags);
  if (c->flags & F_HOOKS) p.hooks = &r;

  if (c->flags & F_TERMINAL) {
    open_terminal(root, c->rows, c->columns, p.uid);
    bind_console(root);
    give_terminal();
  }
  long cwd = target_in_root(root, p.cwd, 1, 0);
  if (cwd >= 0) sys_close((int)cwd); /* what is wrong with it is told when it is entered */
  mask_paths(&masked, root, (int)null);
  make_paths_readonly(&readonly, root);
  if (c->flags & F_READONLY_ROOT) {
    need(sys_mount_setattr(root, 0, MOUNT_ATTR_RDONLY), S_READONLY_ROOT, 0);
  }
  u32 sysctl_count = get32(&sysctls);
  for (u32 i = 0; i < sysctl_count; i++) {
    const char *path = get_text(&sysctls), *value = get_text(&sysctls);
    need(write_file(proc, path, value), S_SYSCTL, i);
  }

  need(SYS1(__NR_fchdir, root), S_PIVOT, 1);
  need(SYS2(__NR_pivot_root, ".", "."), S_PIVOT, 2);
  need(SYS2(__NR_umount2, ".", MNT_DETACH), S_PIVOT, 3);
  need(SYS1(__NR_chdir, "/"), S_PIVOT, 4);
  if (c->flags & F_SHARED_ROOT) need(SYS5(__NR_mount, 0, "/", 0, MS_SHARED, 0), S_PIVOT, 5);

  use_null_input((int)host_null);
  set_rlimits(&p);
  long ring = SYS2(__NR_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0);
  if (ring != -ENOSYS && ring != -EDQUOT) need(ring, S_KEYRING, 0);
  set_labels(&p, proc);
  if (!(c->flags & F_NO_NEW_PRIVS)) set_seccomp(&p);
  become_program(&p, pidns >= 0);
}

/* The keeper's first child: in the container's cgroup, and already in its namespaces if it could be. */
static _Noreturn void container_child(struct reader r, struct common *c, struct namespaces *ns,
                                      int staged) {
  join_v1_cgroups(c);
  int proc = open_proc();
  set_oom_score(c->oom_score, c->flags, proc);
  if (!staged) enter_container(r, c, ns, -1, proc);

  if (ns->user >= 0) {
    need(sys_setns(ns->user, CLONE_NEWUSER), S_USER_NAMESPACE, 0);
    become_namespace_root();
  }
  if (ns->pid >= 0) need(sys_setns(ns->pid, CLONE_NEWPID), S_NAMESPACE, 1);
  if (ns->pid == NS_NEW) {
    long pid = sys_clone(CLONE_PARENT | SIGCHLD | CLONE_NEWPID | new_namespaces(ns));
    need(pid, S_CLONE, 1);
    if (pid > 0) {
      write_report(R_PID, (u32)pid);
      sys_exit(0);
    }
  } else {
    need(sys_unshare(new_namespaces(ns)), S_NAMESPACE, 0);
  }
  enter_container(r, c, ns, ns->pid, proc);
}

/* ---- what the keeper and the exec parent share --------------------------------------------- */

static void open_pipe(int ends[2], int step) {
  need(SYS2(__NR_pipe2, ends, O_CLOEXEC), step, 0);
}

/* Pipes for the container, as large as allowed: output can wait in them for a daemon. */
static void open_stdio(u32 flags) {
  if (flags & F_TERMINAL) return;
  for (int i = flags & F_STDIN ? 0 : 1; i < 3; i++) {
    int ends[2];
    open_pipe(ends, S_STDIO);
    std[i] = ends[i ? 1 : 0];
    held[i] = ends[i ? 0 : 1];
    SYS3(__NR_fcntl, ends[0], F_SETPIPE_SZ, 1 << 20); /* best effort */
    /* Any user of the container may reopen it through /proc/self/fd, as with a terminal. */
    need(SYS2(__NR_fchmod, ends[0], 0666), S_STDIO, 1);
  }
}

static void close_child_ends(void) {
  for (int i = 0; i < 3; i++) {
    if (std[i] >= 0) sys_close(std[i]);
    std[i] = -1;
  }
}

/* Clones the first child, into the v2 cgroup if there is one, with reports on a new socket. */
static int clone_child(unsigned long flags, int cgroup, int pair[2]) {
  need(SYS4(__NR_socketpair, AF_UNIX, SOCK_SEQPACKET | O_CLOEXEC, 0, pair), S_STDIO, 2);
  struct clone_args args = {.flags = flags, .exit_signal = SIGCHLD};
  if (cgroup >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = (u64)cgroup;
  }
  long pid = need(SYS2(__NR_clone3, &args, sizeof args), S_CLONE, 0);
  if (pid == 0) {
    /* The daemon's socket must not be in the child. */
    sys_dup3(pair[1], REPORT, O_CLOEXEC);
    sys_close(pair[0]);
    sys_close(pair[1]);
    return 0;
  }
  sys_close(pair[1]);
  return (int)pid;
}

/*
 * Listens to the children until the program is executed, which closes the last end of the socket.
 * Returns the program's pid, or 0 with the failure sent to the daemon.
 */
static int await_program(int socket, int first, int staged) {
  struct report r, failure = {0};
  int pid = staged ? 0 : first, fd;
  while (receive_report(socket, &r, &fd) == sizeof r) {
    if (r.kind == R_FAILED && !failure.kind) failure = r;
    if (r.kind == R_PID) pid = (int)r.index;
    if (r.kind == R_CLAMPED) clamped |= 1u << (r.index > 31 ? 31 : r.index);
    if (r.kind == R_TERMINAL) terminal_master = fd;
    if (r.kind == R_HOOKS) {
      u8 go;
      send_report(&r);
      if (sys_read(REPORT, &go, 1) != 1) {
        failure = (struct report){.kind = R_FAILED, .step = S_DIED};
        break; /* the end of its socket ends the child */
      }
      SYS(__NR_sendto, socket, &go, 1, MSG_NOSIGNAL, 0, 0);
    }
  }
  sys_close(socket);
  if (!failure.kind && !pid) {
    failure = (struct report){.kind = R_FAILED, .step = S_DIED};
  }
  if (staged) {
    struct child_info info = {0};
    sys_waitid(P_PID, first, &info, WEXITED, 0);
    if (failure.step == S_DIED) failure.index = (u32)info.status, failure.extra = (u32)info.code;
  }
  if (!failure.kind) return pid;
  if (pid) {
    struct child_info info;
    sys_kill(pid, SIGKILL);
    sys_waitid(P_PID, pid, &info, WEXITED, 0);
  }
  send_report(&failure);
  return 0;
}

/* PID START STDIN STDOUT STDERR TERMINAL DONE CLAMPED: all that finding it again needs. */
static size_t started_line(char *line, int pid) {
  char *at = put_number(line, pid, ' ');
  at = put_number(at, (s64)start_time(pid), ' ');
  for (int i = 0; i < 3; i++) at = put_number(at, held[i], ' ');
  at = put_number(at, terminal_master, ' ');
  at = put_number(at, done_read, ' ');
  at = put_number(at, clamped, '\n');
  *at = 0;
  return (size_t)(at - line);
}

/* CODE SIGNAL CORE SECONDS NANOSECONDS USER_US SYSTEM_US MAXRSS_KB */
static size_t exit_line(char *line, struct child_info *info, struct usage *usage) {
  struct timespec64 now = {0, 0};
  SYS2(__NR_clock_gettime, CLOCK_REALTIME, &now);
  int exited = info->code == CLD_EXITED;
  char *at = put_number(line, exited ? info->status : 0, ' ');
  at = put_number(at, exited ? 0 : info->status, ' ');
  at = put_number(at, info->code == CLD_DUMPED, ' ');
  at = put_number(at, now.sec, ' ');
  at = put_number(at, now.nsec, ' ');
  at = put_number(at, usage->user_sec * 1000000 + usage->user_usec, ' ');
  at = put_number(at, usage->system_sec * 1000000 + usage->system_usec, ' ');
  at = put_number(at, usage->max_rss_kb, '\n');
  *at = 0;
  return (size_t)(at - line);
}

/* Makes this process one that nobody disturbs and that holds nothing it was not given. */
static void become_supervisor(const char *name) {
  sys_prctl(PR_SET_DUMPABLE, 0, 0, 0);
  sys_prctl(PR_SET_NAME, (unsigned long)name, 0, 0);
  SYS0(__NR_setsid);
  take_no_signals();
  SYS3(__NR_close_range, REPORT + 1, ~0u, 0);
  SYS3(__NR_fcntl, REPORT, F_SETFD, 1 /* FD_CLOEXEC */);
  long null = need(sys_openat(AT_FDCWD, "/dev/null", O_RDWR, 0), S_KEEPER, 1);
  for (int fd = 0; fd < 3; fd++) sys_dup3((int)null, fd, 0);
  if (null > REPORT) sys_close((int)null);
  need(sys_prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0), S_KEEPER, 2);
  need(SYS1(__NR_chdir, "/"), S_KEEPER, 3);
  SYS1(__NR_umask, 0);
  receive_plan();
}

static int watch_children(void) {
  u64 mask = (u64)1 << (SIGCHLD - 1);
  return (int)need(
      SYS4(__NR_signalfd4, -1, &mask, SIGSET_BYTES, SFD_CLOEXEC | SFD_NONBLOCK), S_KEEPER, 4);
}

/* ---- keeper ------------------------------------------------------------------------------- */

/*
 * The exit record always has this length, and its file is made and filled when the keeper starts: at
 * the end it takes neither space nor an inode, so a full disk cannot hide that a container ended.
 */
enum { EXIT_RECORD_BYTES = 160 };

/* Writes a record whole or not at all; a durable one over what was reserved for it. */
static long write_record(int dir, const char *name, const char *text, size_t n, int durable) {
  char temporary[16];
  copy_text(temporary, sizeof temporary, name);
  copy_text(temporary + length_of(temporary), 5, ".tmp");
  int truncate = durable ? 0 : O_TRUNC;
  long fd = sys_openat(dir, temporary, O_WRONLY | O_CREAT | truncate | O_NOFOLLOW, 0600);
  if (fd < 0) return fd;
  long written = sys_write((int)fd, text, n);
  if (written == (long)n && durable) written = SYS1(__NR_fsync, fd) < 0 ? -EIO : written;
  sys_close((int)fd);
  if (written != (long)n) return written < 0 ? written : -EIO;
  long result = SYS5(__NR_renameat2, dir, temporary, dir, name, 0);
  if (result >= 0 && durable) SYS1(__NR_fsync, dir);
  return result;
}

static long reserve_exit_record(int dir) {
  char empty[EXIT_RECORD_BYTES] = {0};
  long fd = sys_openat(dir, "exit.tmp", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
  if (fd < 0) return fd;
  long written = sys_write((int)fd, empty, sizeof empty);
  sys_close((int)fd);
  return written < 0 || written == sizeof empty ? written : -EIO;
}

/* Deals with every child that ended; true once the container did and its record is written. */
static int reap_children(int dir, int container) {
  for (;;) {
    struct child_info info = {0};
    struct usage usage = {0};
    long result = sys_waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT, &usage);
    if (result < 0 || !info.pid) return 0;
    int ended = info.pid == container;
    if (ended) {
      char line[EXIT_RECORD_BYTES];
      for (size_t n = exit_line(line, &info, &usage); n < sizeof line; n++) line[n] = '\n';
      /* It stays a zombie, and its pid taken, until the record is there. */
      if (write_record(dir, "exit", line, sizeof line, 1) < 0) return 0;
    }
    sys_waitid(P_PID, info.pid, &info, WEXITED, 0);
    if (ended) return 1;
  }
}

static _Noreturn void keep(int dir, int control, int signals, int container) {
  int ended = 0;
  for (;;) {
    /* Looked at before sleeping: a record that could not be written is tried again each second. */
    if (!ended && reap_children(dir, container)) {
      ended = 1;
      sys_close(done_write); /* tells whoever waits that the record is there */
    } else if (ended) {
      reap_children(dir, -1);
    }
    struct pollfd watched[2] = {{control, POLLIN, 0}, {signals, POLLIN, 0}};
    struct timespec64 second = {1, 0};
    int zombie = 0;
    if (!ended) {
      struct child_info info = {0};
      zombie = sys_waitid(P_PID, container, &info, WEXITED | WNOHANG | WNOWAIT, 0) == 0 && info.pid;
    }
    SYS5(__NR_ppoll, watched, 2, zombie ? &second : 0, 0, 0);
    if (watched[1].revents) {
      u8 ignored[512];
      while (sys_read(signals, ignored, sizeof ignored) > 0) continue;
    }
    if (watched[0].revents & POLLIN) {
      u8 commands[16];
      long n = sys_read(control, commands, sizeof commands);
      for (long i = 0; i < n; i++) {
        if (commands[i] == 'i' && held[0] >= 0) {
          sys_close(held[0]);
          held[0] = -1;
        }
        if (commands[i] == 'a' && ended) sys_exit(0);
      }
    }
  }
}

static void keeper(void) {
  become_supervisor("jrt-keeper");
  struct common c;
  struct reader r = plan;
  read_common(&r, &c);
  if (c.kind != KIND_CONTAINER || fd_count < FIRST_PLAN_FD) fail(S_PLAN, -EBADMSG, 10);
  struct namespaces ns;
  ns.user = get_fd(&r);
  ns.pid = get_fd(&r);
  ns.net = get_fd(&r);
  ns.ipc = get_fd(&r);
  ns.uts = get_fd(&r);
  ns.cgroup = get_fd(&r);

  int dir = fds[DIR_FD];
  char line[200];
  int me = (int)SYS0(__NR_getpid);
  char *end = put_number(put_number(line, me, ' '), (s64)start_time(me), '\n');
  need(write_record(dir, "keeper", line, (size_t)(end - line), 0), S_KEEPER, 5);
  need(reserve_exit_record(dir), S_KEEPER, 10);
  need(SYS4(__NR_mknodat, dir, "control", S_IFIFO | 0600, 0), S_KEEPER, 6);
  int control = (int)need(sys_openat(dir, "control", O_RDWR | O_NOFOLLOW, 0), S_KEEPER, 7);
  self_exe = (int)need(sys_openat(AT_FDCWD, "/proc/self/exe", O_PATH, 0), S_KEEPER, 8);
  int done[2];
  open_pipe(done, S_STDIO);
  done_read = done[0];
  done_write = done[1];
  open_stdio(c.flags);

  /* A user or pid namespace must be joined before the others can be made in it. */
  int staged = ns.user >= 0 || ns.pid >= 0;
  unsigned long flags =
      staged ? 0 : new_namespaces(&ns) | (ns.pid == NS_NEW ? CLONE_NEWPID : 0);
  int pair[2];
  int first = clone_child(flags, c.cgroup, pair);
  if (!first) container_child(r, &c, &ns, staged);

  sys_close(self_exe);
  close_child_ends();
  for (u32 i = FIRST_PLAN_FD; i < fd_count; i++) sys_close(fds[i]);
  /* A child that needs no second one is the program; one with its own pid namespace tells its pid. */
  int late = staged && ns.pid != NS_HOST;
  int pid = await_program(pair[0], first, late);
  if (!pid) sys_exit(1);

  int signals = watch_children();
  size_t n = started_line(line, pid);
  if (write_record(dir, "init", line, n, 0) < 0) {
    sys_kill(pid, SIGKILL);
    fail(S_KEEPER, -EIO, 9);
  }
  struct report started = {.kind = R_STARTED};
  copy_text(started.text, sizeof started.text, line);
  send_report(&started);
  sys_close(REPORT);
  SYS2(__NR_munmap, plan_memory, plan_size);
  keep(dir, control, signals, pid);
}

/* ---- exec --------------------------------------------------------------------------------- */

static int other_user_namespace(int proc, u32 container) {
  char path[40];
  copy_text(put_number(path, container, '/'), 16, "ns/user");
  struct kstat own, theirs;
  need(sys_fstatat(proc, "self/ns/user", &own, 0), S_USER_NAMESPACE, 4);
  need(sys_fstatat(proc, path, &theirs, 0), S_USER_NAMESPACE, 5);
  return own.dev != theirs.dev || own.ino != theirs.ino;
}

static _Noreturn void exec_child(struct reader r, struct common *c) {
  int container = get_fd(&r);
  u32 container_pid = get32(&r);
  struct process p;
  read_process(&r, &p, c->flags);
  join_v1_cgroups(c);
  int proc = open_proc();
  set_oom_score(c->oom_score, c->flags, proc);
  long host_null = need(sys_openat(AT_FDCWD, "/dev/null", O_RDWR, 0), S_HOST, 9);
  unsigned long kinds = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
                        CLONE_NEWCGROUP;
  int foreign = other_user_namespace(proc, container_pid);
  need(sys_setns(container, kinds | (foreign ? CLONE_NEWUSER : 0)), S_NAMESPACE, 0);
  if (foreign) become_namespace_root();
  if (c->flags & F_TERMINAL) {
    int root = (int)need(sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0), S_TERMINAL, 9);
    open_terminal(root, c->rows, c->columns, p.uid);
    give_terminal();
  }
  use_null_input((int)host_null);
  set_rlimits(&p);
  long ring = SYS2(__NR_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0);
  if (ring != -ENOSYS && ring != -EDQUOT) need(ring, S_KEYRING, 0);
  set_labels(&p, proc);
  if (!(c->flags & F_NO_NEW_PRIVS)) set_seccomp(&p);
  become_program(&p, 1);
}

static void exec_parent(void) {
  become_supervisor("jrt-exec");
  struct common c;
  struct reader r = plan;
  read_common(&r, &c);
  if (c.kind != KIND_EXEC) fail(S_PLAN, -EBADMSG, 10);
  open_stdio(c.flags);
  int signals = watch_children();
  int pair[2];
  int first = clone_child(0, c.cgroup, pair);
  if (!first) exec_child(r, &c);
  close_child_ends();
  for (u32 i = 1; i < fd_count; i++) sys_close(fds[i]);
  int pid = await_program(pair[0], first, 1);
  if (!pid) sys_exit(1);

  struct report message = {.kind = R_STARTED};
  started_line(message.text, pid);
  send_report(&message);
  SYS2(__NR_munmap, plan_memory, plan_size);
  /* The daemon copies its ends first; then what it closes is closed. */
  u8 word;
  int orphaned = sys_read(REPORT, &word, 1) != 1;
  for (int i = 0; i < 3; i++) {
    if (held[i] >= 0) sys_close(held[i]);
  }
  if (terminal_master >= 0) sys_close(terminal_master);
  int killed = 0;
  for (;;) {
    struct child_info info = {0};
    struct usage usage = {0};
    /* Reaped at once: the end of the container's init waits for every process of its namespace. */
    while (sys_waitid(P_ALL, 0, &info, WEXITED | WNOHANG, &usage) == 0 && info.pid) {
      if (info.pid == pid) {
        message = (struct report){.kind = R_EXITED};
        exit_line(message.text, &info, &usage);
        send_report(&message);
        sys_exit(0);
      }
      info.pid = 0;
    }
    struct pollfd watched[2] = {{signals, POLLIN, 0}, {killed ? -1 : REPORT, POLLIN, 0}};
    if (killed || !orphaned) SYS5(__NR_ppoll, watched, 2, 0, 0, 0);
    if (watched[0].revents) {
      u8 ignored[512];
      while (sys_read(signals, ignored, sizeof ignored) > 0) continue;
    }
    if (!killed && (orphaned || watched[1].revents)) {
      sys_kill(-pid, SIGKILL); /* nobody is left to whom it could report */
      sys_kill(pid, SIGKILL);
      killed = 1;
    }
  }
}

/* ---- holders ------------------------------------------------------------------------------ */

static _Noreturn void pod_init(void) {
  take_no_signals();
  u64 wanted = (u64)1 << (SIGCHLD - 1) | (u64)1 << (SIGTERM - 1);
  for (;;) {
    struct child_info info = {0};
    while (sys_waitid(P_ALL, 0, &info, WEXITED | WNOHANG, 0) == 0 && info.pid) info.pid = 0;
    if (SYS4(__NR_rt_sigtimedwait, &wanted, 0, 0, SIGSET_BYTES) == SIGTERM) sys_exit(0);
  }
}

/* Tells by one byte on descriptor 3 that the namespaces are there; lives until its other end closes. */
static _Noreturn void hold(unsigned long flags) {
  take_no_signals();
  if (sys_unshare(flags) < 0) sys_exit(1);
  u8 byte = 1;
  if (sys_write(3, &byte, 1) != 1) sys_exit(1);
  long n;
  do n = sys_read(3, &byte, 1);
  while (n > 0 || n == -EINTR);
  sys_exit(0);
}

/* Executes a program of the host in another mount namespace: a hook that prepares its root. */
static _Noreturn void run_in_mounts(const char **argv, const char **envp) {
  long namespace = sys_openat(AT_FDCWD, argv[0], O_RDONLY, 0);
  if (namespace < 0 || sys_setns((int)namespace, CLONE_NEWNS) < 0) sys_exit(125);
  sys_close((int)namespace);
  SYS3(__NR_execve, argv[1], argv + 2, envp);
  static const char problem[] = "the program cannot be executed\n";
  sys_write(2, problem, sizeof problem - 1);
  sys_exit(126);
}

static unsigned long parse_number(const char *s) {
  unsigned long v = 0;
  for (; *s >= '0' && *s <= '9'; s++) v = v * 10 + (unsigned long)(*s - '0');
  return v;
}

_Noreturn void start_c(long *stack) {
  long argc = stack[0];
  const char **argv = (const char **)(stack + 1);
  const char *role = argc > 1 ? argv[1] : "";
  if (same(role, "keeper")) keeper();
  if (same(role, "exec")) exec_parent();
  if (same(role, "podinit")) pod_init();
  if (same(role, "hook") && argc > 4) run_in_mounts(argv + 2, argv + argc + 1);
  if (same(role, "userns")) hold(CLONE_NEWUSER);
  if (same(role, "nsholder") && argc > 2) {
    if (sys_setns(4, CLONE_NEWUSER) < 0) sys_exit(1);
    hold(parse_number(argv[2]));
  }
  static const char usage[] = "jrt-init is started by jrtd and is of no use otherwise\n";
  sys_write(2, usage, sizeof usage - 1);
  sys_exit(2);
}
