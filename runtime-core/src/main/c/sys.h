/*
 * System calls of Linux as plain functions, for x86-64 and aarch64, without a C library. A call
 * returns what the kernel returns: a negative errno on failure.
 */
#ifndef JRT_SYS_H
#define JRT_SYS_H

#include <asm/ioctls.h>
#include <asm/unistd.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/keyctl.h>
#include <linux/memfd.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/poll.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/stat.h>
#include <linux/wait.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

typedef int8_t s8;
typedef uint8_t u8;
typedef int32_t s32;
typedef uint32_t u32;
typedef int64_t s64;
typedef uint64_t u64;

#if defined(__x86_64__)

static inline long sys6(long n, long a, long b, long c, long d, long e, long f) {
  long ret;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(ret)
                   : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return ret;
}

__asm__(".text\n.globl _start\n_start:\n"
        "xor %ebp, %ebp\nmov %rsp, %rdi\nand $-16, %rsp\ncall start_c\nud2\n");

/* As the kernel's struct stat of this architecture begins. */
struct kstat {
  u64 dev, ino, nlink;
  u32 mode, uid, gid, pad;
  u64 rdev;
  s64 size, rest[11];
};

#define ARCH_MACHINE 62 /* EM_X86_64 */

#elif defined(__aarch64__)

static inline long sys6(long n, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = n;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory", "cc");
  return x0;
}

__asm__(".text\n.globl _start\n_start:\n"
        "mov x29, #0\nmov x30, #0\nmov x0, sp\nand sp, x0, #-16\nbl start_c\nbrk #1\n");

struct kstat {
  u64 dev, ino;
  u32 mode, nlink, uid, gid;
  u64 rdev, pad;
  s64 size, rest[10];
};

#define ARCH_MACHINE 183 /* EM_AARCH64 */

#else
#error "jrt-init knows x86-64 and aarch64"
#endif

#define SYS(n, a, b, c, d, e, f) \
  sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define SYS0(n) SYS(n, 0, 0, 0, 0, 0, 0)
#define SYS1(n, a) SYS(n, a, 0, 0, 0, 0, 0)
#define SYS2(n, a, b) SYS(n, a, b, 0, 0, 0, 0)
#define SYS3(n, a, b, c) SYS(n, a, b, c, 0, 0, 0)
#define SYS4(n, a, b, c, d) SYS(n, a, b, c, d, 0, 0)
#define SYS5(n, a, b, c, d, e) SYS(n, a, b, c, d, e, 0)

/* What the kernel's exported headers leave to the C library. */
#define SIGKILL 9
#define SIGTERM 15
#define SIGCHLD 17
#define SIG_BLOCK 0
#define SIG_SETMASK 2
#define SIGSET_BYTES 8
#define LAST_SIGNAL 64
#define MNT_DETACH 2
#define PROT_READ 1
#define PROT_WRITE 2
#define MAP_PRIVATE 2
#define MAP_ANONYMOUS 32
#define AF_UNIX 1
#define SOCK_SEQPACKET 5
#define SOL_SOCKET 1
#define SCM_RIGHTS 1
#define MSG_NOSIGNAL 0x4000
#define MSG_CMSG_CLOEXEC 0x40000000
#define LOCK_EX 2
#define LOCK_NB 4
#define CLOCK_REALTIME 0
#define CLD_EXITED 1
#define CLD_DUMPED 3
#define SFD_CLOEXEC O_CLOEXEC
#define SFD_NONBLOCK O_NONBLOCK
#define PROC_SUPER_MAGIC 0x9fa0
#define DEVPTS_SUPER_MAGIC 0x1cd1
#define PROC_ROOT_INO 1
#define CLEAN_RESOLVE (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)

struct iovec {
  void *base;
  u64 length;
};

struct msghdr {
  void *name;
  s32 name_length;
  struct iovec *iov;
  u64 iov_count;
  void *control;
  u64 control_length;
  u32 flags;
};

struct cmsghdr {
  u64 length;
  s32 level;
  s32 type;
};

struct timespec64 {
  s64 sec, nsec;
};

struct statfs_head {
  s64 type;
  s64 rest[15];
};

/* siginfo_t as waitid fills it. */
struct child_info {
  s32 signo, error, code, pad;
  s32 pid, uid, status;
  s32 rest[25];
};

struct usage {
  s64 user_sec, user_usec, system_sec, system_usec, max_rss_kb;
  s64 rest[13];
};

struct winsize {
  uint16_t rows, columns, x, y;
};

struct action {
  void *handler;
  u64 flags;
  void *restorer;
  u64 mask;
};

struct program {
  uint16_t length;
  const void *filter;
};

static inline long sys_read(int fd, void *to, size_t n) { return SYS3(__NR_read, fd, to, n); }
static inline long sys_write(int fd, const void *from, size_t n) {
  return SYS3(__NR_write, fd, from, n);
}
static inline long sys_close(int fd) { return SYS1(__NR_close, fd); }
static inline long sys_openat(int dir, const char *path, int flags, int mode) {
  return SYS4(__NR_openat, dir, path, flags | O_CLOEXEC, mode);
}
static inline long sys_openat2(int dir, const char *path, u64 flags, u64 resolve) {
  struct open_how how = {.flags = flags | O_CLOEXEC, .mode = 0, .resolve = resolve};
  return SYS4(__NR_openat2, dir, path, &how, sizeof how);
}
static inline long sys_ioctl(int fd, unsigned long request, unsigned long value) {
  return SYS3(__NR_ioctl, fd, request, value);
}
static inline long sys_dup3(int from, int to, int flags) {
  return from == to ? from : SYS3(__NR_dup3, from, to, flags);
}
static inline long sys_fstat(int fd, struct kstat *st) { return SYS2(__NR_fstat, fd, st); }
static inline long sys_statx(int fd, struct statx *st) {
  return SYS5(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, st);
}
static inline long sys_fstatat(int dir, const char *path, struct kstat *st, int flags) {
  return SYS4(__NR_newfstatat, dir, path, st, flags);
}
static inline long sys_fstatfs(int fd, struct statfs_head *sf) { return SYS2(__NR_fstatfs, fd, sf); }
static inline long sys_mkdirat(int dir, const char *path, int mode) {
  return SYS3(__NR_mkdirat, dir, path, mode);
}
static inline long sys_prctl(int op, unsigned long a, unsigned long b, unsigned long c) {
  return SYS5(__NR_prctl, op, a, b, c, 0);
}
static inline long sys_move_mount(int from, int to, const char *path, int flags) {
  return SYS5(__NR_move_mount, from, "", to, path, flags | MOVE_MOUNT_F_EMPTY_PATH);
}
static inline long sys_open_tree(int fd, const char *path, unsigned flags) {
  return SYS3(__NR_open_tree, fd, path, flags | OPEN_TREE_CLOEXEC);
}
static inline long sys_mount_setattr(int fd, unsigned flags, u64 set) {
  struct mount_attr attr = {.attr_set = set};
  return SYS5(__NR_mount_setattr, fd, "", flags | AT_EMPTY_PATH, &attr, sizeof attr);
}
static inline long sys_setns(int fd, unsigned long flags) { return SYS2(__NR_setns, fd, flags); }
static inline long sys_unshare(unsigned long flags) { return SYS1(__NR_unshare, flags); }
static inline long sys_clone(unsigned long flags) { return SYS5(__NR_clone, flags, 0, 0, 0, 0); }
static inline long sys_waitid(int type, int id, struct child_info *info, int options,
                              struct usage *usage) {
  return SYS5(__NR_waitid, type, id, info, options, usage);
}
static inline long sys_kill(int pid, int signal) { return SYS2(__NR_kill, pid, signal); }
static inline void *sys_mmap(size_t length, int fd) {
  long at = SYS(__NR_mmap, 0, length, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);
  return at < 0 && at > -4096 ? NULL : (void *)at;
}
static inline _Noreturn void sys_exit(int code) {
  for (;;) SYS1(__NR_exit_group, code);
}

/* The compiler calls these for copies and clears that it makes of plain code. */
void *memcpy(void *restrict to, const void *restrict from, size_t n) {
  u8 *t = to;
  const u8 *f = from;
  for (size_t i = 0; i < n; i++) {
    t[i] = f[i];
    __asm__ volatile("" ::: "memory"); /* not to be recognised as a memcpy itself */
  }
  return to;
}

void *memset(void *to, int value, size_t n) {
  u8 *t = to;
  for (size_t i = 0; i < n; i++) {
    t[i] = (u8)value;
    __asm__ volatile("" ::: "memory");
  }
  return to;
}

static inline size_t length_of(const char *s) {
  size_t n = 0;
  while (s[n]) n++;
  return n;
}

static inline int same(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

/* Copies as much of the text as fits, always with a NUL. */
static inline void copy_text(char *to, size_t room, const char *from) {
  size_t i = 0;
  for (; i + 1 < room && from[i]; i++) to[i] = from[i];
  to[i] = 0;
}

/* Appends a number and a separator; returns the new end. */
static inline char *put_number(char *at, s64 value, char after) {
  char digits[24];
  int n = 0;
  u64 v = value < 0 ? (u64)0 - (u64)value : (u64)value;
  do digits[n++] = (char)('0' + v % 10);
  while (v /= 10);
  if (value < 0) *at++ = '-';
  while (n) *at++ = digits[--n];
  *at++ = after;
  return at;
}

#endif
