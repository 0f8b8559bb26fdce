/* A layer between a program and the disk, put under it with LD_PRELOAD: records every operation on the files below one folder, or lets one
 * of them fail. docs/trials.md says what it is for; trials/src/log.rs reads what it records.
 *
 *   TRIALS_ROOT   the folder that is watched, absolute and without links
 *   TRIALS_LOG    where operations are recorded (recording), or where the number of operations is written (all other modes)
 *   TRIALS_MODE   record | eio | enospc | short | shortkill | killbefore | killafter
 *   TRIALS_AT     the number of the operation that it happens to, counted from 1
 *
 * What changes files is counted: data written, lengths, syncs, renames, files and folders made and removed, permissions. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define MOST_FDS 4096

enum mode { OFF, RECORD, FAIL_EIO, FAIL_ENOSPC, FAIL_SHORT, SHORT_KILL, KILL_BEFORE, KILL_AFTER };

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static enum mode mode = OFF;
static char root[PATH_MAX];
static size_t root_len;
static int log_fd = -1;
static uint64_t at, counted;
static int full; /* the disk is full from here on */
static unsigned char watched[MOST_FDS];

static void *real(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) _exit(117);
    return found;
}
#define REAL(type, name, ...)                                   \
    static type (*next)(__VA_ARGS__);                           \
    if (!next) next = (type (*)(__VA_ARGS__))real(#name);

/* System calls without libc, so that nothing of this layer passes through itself. */
static ssize_t raw_write(int fd, const void *data, size_t len) {
    const char *from = data;
    size_t left = len;
    while (left) {
        ssize_t n = syscall(SYS_write, fd, from, left);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) _exit(118);
        from += n;
        left -= (size_t)n;
    }
    return (ssize_t)len;
}

static void begin(void) {
    const char *folder = getenv("TRIALS_ROOT"), *what = getenv("TRIALS_MODE"), *log = getenv("TRIALS_LOG"), *when = getenv("TRIALS_AT");
    if (!folder || !what || !log) return;
    static const char *const names[] = {"off", "record", "eio", "enospc", "short", "shortkill", "killbefore", "killafter"};
    for (int i = 0; i < 8; i++)
        if (!strcmp(what, names[i])) mode = (enum mode)i;
    if (mode == OFF) return;
    root_len = strlen(folder);
    if (root_len >= sizeof root) _exit(119);
    memcpy(root, folder, root_len + 1);
    at = when ? strtoull(when, NULL, 10) : 0;
    log_fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (log_fd < 0) _exit(120);
    /* Out of the way of the program's own descriptors. */
    int high = (int)syscall(SYS_fcntl, log_fd, F_DUPFD_CLOEXEC, MOST_FDS);
    if (high >= 0) {
        syscall(SYS_close, log_fd);
        log_fd = high;
    }
}

__attribute__((constructor)) static void load(void) { pthread_once(&once, begin); }

/* The absolute path, without "." and "..", of `path` seen from the folder `dir`; 1 if it is the watched folder or below it. */
static int resolve(int dir, const char *path, char out[PATH_MAX]) {
    char whole[2 * PATH_MAX];
    if (!path) return 0;
    if (path[0] == '/') {
        if (strlen(path) >= PATH_MAX) return 0;
        strcpy(whole, path);
    } else {
        char base[PATH_MAX];
        ssize_t n;
        if (dir == AT_FDCWD) {
            n = (ssize_t)syscall(SYS_getcwd, base, sizeof base) - 1;
        } else {
            char link[64];
            snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
            n = (ssize_t)syscall(SYS_readlinkat, AT_FDCWD, link, base, sizeof base - 1);
        }
        if (n <= 0 || (size_t)n + strlen(path) + 2 > sizeof whole) return 0;
        base[n] = 0;
        snprintf(whole, sizeof whole, "%s/%s", base, path);
    }
    size_t len = 0;
    for (char *rest = whole, *part; (part = strsep(&rest, "/"));) {
        if (!*part || !strcmp(part, ".")) continue;
        if (!strcmp(part, "..")) {
            while (len && out[len - 1] != '/') len--;
            if (len) len--;
            continue;
        }
        size_t n = strlen(part);
        if (len + n + 2 > PATH_MAX) return 0;
        out[len++] = '/';
        memcpy(out + len, part, n);
        len += n;
    }
    if (!len) out[len++] = '/';
    out[len] = 0;
    return !strncmp(out, root, root_len) && (!out[root_len] || out[root_len] == '/');
}

static int is_watched(int fd) { return mode != OFF && fd >= 0 && fd < MOST_FDS && watched[fd]; }
static void watch(int fd, int yes) {
    if (fd >= 0 && fd < MOST_FDS) watched[fd] = (unsigned char)yes;
}

/* One record: kind, descriptor, number, lengths of two texts, the texts. Only ever written with the gate held. */
static void record(char kind, int fd, uint64_t number, const void *first, size_t first_len, const void *second, size_t second_len) {
    if (mode != RECORD) return;
    struct { uint32_t kind; int32_t fd; uint64_t number, first, second; } head = {(uint32_t)kind, fd, number, first_len, second_len};
    raw_write(log_fd, &head, sizeof head);
    if (first_len) raw_write(log_fd, first, first_len);
    if (second_len) raw_write(log_fd, second, second_len);
}

static void note_count(void) {
    if (mode == RECORD) return;
    char text[32];
    int n = snprintf(text, sizeof text, "%llu\n", (unsigned long long)counted);
    syscall(SYS_pwrite64, log_fd, text, (size_t)n, 0);
}

/* What is to happen to the operation about to be done. `grows`: it needs room on the disk. */
enum fate { GO, FAIL, HALF };
static enum fate ask(int grows) {
    if (mode == RECORD) return GO;
    counted++;
    note_count();
    if (full) {
        if (!grows) return GO;
        errno = ENOSPC;
        return FAIL;
    }
    if (counted != at) return GO;
    switch (mode) {
    case FAIL_EIO: errno = EIO; return FAIL;
    case FAIL_ENOSPC:
        full = 1;
        if (!grows) return GO;
        errno = ENOSPC;
        return FAIL;
    case FAIL_SHORT: full = 1; return HALF;
    case SHORT_KILL: return HALF;
    case KILL_BEFORE: raise(SIGKILL); return FAIL;
    default: return GO;
    }
}

static void after(void) {
    if (mode == KILL_AFTER && counted == at) raise(SIGKILL);
    if (mode == SHORT_KILL && counted == at) raise(SIGKILL);
}

static uint64_t length_of(int fd) {
    struct stat st;
    return fstat(fd, &st) ? 0 : (uint64_t)st.st_size;
}

/* Does an operation with nothing to grow and nothing to cut. */
#define SIMPLE(grows, call, kind, fd, number, a, alen, b, blen)     \
    pthread_mutex_lock(&gate);                                      \
    int result = -1;                                                \
    if (ask(grows) != FAIL) {                                       \
        result = (int)(call);                                       \
        if (result >= 0) record(kind, fd, number, a, alen, b, blen);\
    }                                                               \
    int error = errno;                                              \
    after();                                                        \
    pthread_mutex_unlock(&gate);                                    \
    errno = error;                                                  \
    return result

/* Files and folders opened. */

static int raw_open(int dir, const char *path, int flags, mode_t perm) { return (int)syscall(SYS_openat, dir, path, flags, perm); }

static int open_any(int dir, const char *path, int flags, mode_t perm) {
    char full_path[PATH_MAX];
    if (mode == OFF) return raw_open(dir, path, flags, perm);
    if (!resolve(dir, path, full_path)) {
        int fd = raw_open(dir, path, flags, perm);
        watch(fd, 0);
        return fd;
    }
    pthread_mutex_lock(&gate);
    struct stat st;
    int made = (flags & O_CREAT) && fstatat(dir, path, &st, 0) != 0;
    int cut = (flags & O_TRUNC) && !made;
    int fd = -1;
    if (!(made || cut) || ask(made) != FAIL) {
        fd = raw_open(dir, path, flags, perm);
        watch(fd, 1);
        if (fd >= 0) {
            uint64_t what = (uint64_t)(made ? 1 : 0) | (uint64_t)(cut ? 2 : 0) | (uint64_t)((flags & O_APPEND) ? 4 : 0);
            record('O', fd, what, full_path, strlen(full_path), NULL, 0);
        }
        if (made || cut) {
            int error = errno;
            after();
            errno = error;
        }
    }
    int error = errno;
    pthread_mutex_unlock(&gate);
    errno = error;
    return fd;
}

#define WITH_MODE(flags, last)                                  \
    mode_t perm = 0;                                            \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                      \
        va_list list;                                           \
        va_start(list, last);                                   \
        perm = va_arg(list, mode_t);                            \
        va_end(list);                                           \
    }
EXPORT int open(const char *path, int flags, ...) { WITH_MODE(flags, flags) return open_any(AT_FDCWD, path, flags, perm); }
EXPORT int open64(const char *path, int flags, ...) { WITH_MODE(flags, flags) return open_any(AT_FDCWD, path, flags | O_LARGEFILE, perm); }
EXPORT int openat(int dir, const char *path, int flags, ...) { WITH_MODE(flags, flags) return open_any(dir, path, flags, perm); }
EXPORT int openat64(int dir, const char *path, int flags, ...) { WITH_MODE(flags, flags) return open_any(dir, path, flags | O_LARGEFILE, perm); }
EXPORT int creat(const char *path, mode_t perm) { return open_any(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, perm); }
EXPORT int creat64(const char *path, mode_t perm) { return open_any(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC | O_LARGEFILE, perm); }

EXPORT int close(int fd) {
    watch(fd, 0);
    return (int)syscall(SYS_close, fd);
}

static int descriptor_copied(int from, int to) {
    if (to >= 0 && is_watched(from)) {
        pthread_mutex_lock(&gate);
        watch(to, 1);
        record('D', to, (uint64_t)from, NULL, 0, NULL, 0);
        pthread_mutex_unlock(&gate);
    } else {
        watch(to, 0);
    }
    return to;
}
EXPORT int dup(int fd) { return descriptor_copied(fd, (int)syscall(SYS_dup, fd)); }
EXPORT int dup2(int from, int to) { return from == to ? to : descriptor_copied(from, (int)syscall(SYS_dup3, from, to, 0)); }
EXPORT int dup3(int from, int to, int flags) { return descriptor_copied(from, (int)syscall(SYS_dup3, from, to, flags)); }
static int fcntl_any(int fd, int what, void *argument) {
    int result = (int)syscall(SYS_fcntl, fd, what, argument);
    if (what == F_DUPFD || what == F_DUPFD_CLOEXEC) descriptor_copied(fd, result);
    return result;
}
#define WITH_POINTER(last)                  \
    va_list list;                           \
    va_start(list, last);                   \
    void *argument = va_arg(list, void *);  \
    va_end(list);
EXPORT int fcntl(int fd, int what, ...) { WITH_POINTER(what) return fcntl_any(fd, what, argument); }
EXPORT int fcntl64(int fd, int what, ...) { WITH_POINTER(what) return fcntl_any(fd, what, argument); }

/* Data. */

static ssize_t write_at(int fd, const void *data, size_t len, off_t offset, int placed) {
    pthread_mutex_lock(&gate);
    uint64_t start = placed ? (uint64_t)offset : (uint64_t)syscall(SYS_lseek, fd, 0, SEEK_CUR);
    int flags = (int)syscall(SYS_fcntl, fd, F_GETFL);
    if (flags >= 0 && (flags & O_APPEND)) start = length_of(fd);
    enum fate fate = ask(start + len > length_of(fd));
    ssize_t done = -1;
    if (fate != FAIL) {
        size_t some = fate == HALF ? len / 2 : len;
        done = placed ? syscall(SYS_pwrite64, fd, data, some, offset) : syscall(SYS_write, fd, data, some);
        if (done >= 0) record('W', fd, start, NULL, 0, data, (size_t)done);
        if (fate == HALF && done == 0) {
            done = -1;
            errno = ENOSPC;
        }
    }
    int error = errno;
    after();
    pthread_mutex_unlock(&gate);
    errno = error;
    return done;
}

EXPORT ssize_t write(int fd, const void *data, size_t len) {
    if (is_watched(fd)) return write_at(fd, data, len, 0, 0);
    if (mode == RECORD && fd == STDOUT_FILENO) {
        pthread_mutex_lock(&gate);
        ssize_t done = syscall(SYS_write, fd, data, len);
        if (done > 0) record('A', fd, 0, NULL, 0, data, (size_t)done);
        pthread_mutex_unlock(&gate);
        return done;
    }
    return syscall(SYS_write, fd, data, len);
}
EXPORT ssize_t pwrite(int fd, const void *data, size_t len, off_t offset) {
    return is_watched(fd) ? write_at(fd, data, len, offset, 1) : syscall(SYS_pwrite64, fd, data, len, offset);
}
EXPORT ssize_t pwrite64(int fd, const void *data, size_t len, off64_t offset) {
    return is_watched(fd) ? write_at(fd, data, len, offset, 1) : syscall(SYS_pwrite64, fd, data, len, offset);
}
/* Of several pieces the first that is not empty: a short write, which every caller must expect. */
static ssize_t first_piece(int fd, const struct iovec *pieces, int count, off_t offset, int placed) {
    for (int i = 0; i < count; i++)
        if (pieces[i].iov_len) return write_at(fd, pieces[i].iov_base, pieces[i].iov_len, offset, placed);
    return 0;
}
EXPORT ssize_t writev(int fd, const struct iovec *pieces, int count) {
    if (is_watched(fd)) return first_piece(fd, pieces, count, 0, 0);
    if (mode == RECORD && fd == STDOUT_FILENO && count > 0) return write(fd, pieces[0].iov_base, pieces[0].iov_len);
    return syscall(SYS_writev, fd, pieces, count);
}
EXPORT ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset) {
    if (is_watched(fd)) return first_piece(fd, pieces, count, offset, 1);
    REAL(ssize_t, pwritev, int, const struct iovec *, int, off_t)
    return next(fd, pieces, count, offset);
}
EXPORT ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off64_t offset) { return pwritev(fd, pieces, count, offset); }

/* Copies inside the kernel are refused, so that the program copies through its own hands and is seen. */
EXPORT ssize_t copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t len, unsigned flags) {
    if (is_watched(out)) { errno = ENOSYS; return -1; }
    return syscall(SYS_copy_file_range, in, in_at, out, out_at, len, flags);
}
EXPORT ssize_t sendfile(int out, int in, off_t *offset, size_t len) {
    if (is_watched(out)) { errno = EINVAL; return -1; }
    return syscall(SYS_sendfile, out, in, offset, len);
}
EXPORT ssize_t sendfile64(int out, int in, off64_t *offset, size_t len) { return sendfile(out, in, offset, len); }
EXPORT ssize_t splice(int in, off64_t *in_at, int out, off64_t *out_at, size_t len, unsigned flags) {
    if (is_watched(out)) { errno = EINVAL; return -1; }
    return syscall(SYS_splice, in, in_at, out, out_at, len, flags);
}

/* Lengths. */

static int length_any(int fd, off_t length) {
    if (!is_watched(fd)) return (int)syscall(SYS_ftruncate, fd, length);
    SIMPLE((uint64_t)length > length_of(fd), syscall(SYS_ftruncate, fd, length), 'T', fd, (uint64_t)length, NULL, 0, NULL, 0);
}
EXPORT int ftruncate(int fd, off_t length) { return length_any(fd, length); }
EXPORT int ftruncate64(int fd, off64_t length) { return length_any(fd, length); }
EXPORT int fallocate(int fd, int how, off_t offset, off_t len) {
    if (is_watched(fd)) { errno = EOPNOTSUPP; return -1; }
    return (int)syscall(SYS_fallocate, fd, how, offset, len);
}
EXPORT int fallocate64(int fd, int how, off64_t offset, off64_t len) { return fallocate(fd, how, offset, len); }
EXPORT int posix_fallocate(int fd, off_t offset, off_t len) {
    if (is_watched(fd)) return EOPNOTSUPP;
    return syscall(SYS_fallocate, fd, 0, offset, len) ? errno : 0;
}
EXPORT int posix_fallocate64(int fd, off64_t offset, off64_t len) { return posix_fallocate(fd, offset, len); }

/* Syncs. */

EXPORT int fsync(int fd) {
    if (!is_watched(fd)) return (int)syscall(SYS_fsync, fd);
    SIMPLE(0, syscall(SYS_fsync, fd), 'S', fd, 0, NULL, 0, NULL, 0);
}
EXPORT int fdatasync(int fd) {
    if (!is_watched(fd)) return (int)syscall(SYS_fdatasync, fd);
    SIMPLE(0, syscall(SYS_fdatasync, fd), 'S', fd, 0, NULL, 0, NULL, 0);
}

/* Names. */

static int rename_any(int from_dir, const char *from, int to_dir, const char *to, unsigned flags) {
    char a[PATH_MAX], b[PATH_MAX];
    int in_a = mode != OFF && resolve(from_dir, from, a), in_b = mode != OFF && resolve(to_dir, to, b);
    if (!in_a && !in_b) return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
    SIMPLE(0, syscall(SYS_renameat2, from_dir, from, to_dir, to, flags), 'R', -1, flags, a, strlen(a), b, strlen(b));
}
EXPORT int rename(const char *from, const char *to) { return rename_any(AT_FDCWD, from, AT_FDCWD, to, 0); }
EXPORT int renameat(int from_dir, const char *from, int to_dir, const char *to) { return rename_any(from_dir, from, to_dir, to, 0); }
EXPORT int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags) { return rename_any(from_dir, from, to_dir, to, flags); }

static int link_any(int from_dir, const char *from, int to_dir, const char *to, int flags) {
    char a[PATH_MAX], b[PATH_MAX];
    int in_a = mode != OFF && resolve(from_dir, from, a), in_b = mode != OFF && resolve(to_dir, to, b);
    if (!in_a && !in_b) return (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
    SIMPLE(1, syscall(SYS_linkat, from_dir, from, to_dir, to, flags), 'L', -1, 0, a, strlen(a), b, strlen(b));
}
EXPORT int link(const char *from, const char *to) { return link_any(AT_FDCWD, from, AT_FDCWD, to, 0); }
EXPORT int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags) { return link_any(from_dir, from, to_dir, to, flags); }
EXPORT int symlink(const char *what, const char *to) {
    char b[PATH_MAX];
    if (mode == OFF || !resolve(AT_FDCWD, to, b)) return (int)syscall(SYS_symlinkat, what, AT_FDCWD, to);
    SIMPLE(1, syscall(SYS_symlinkat, what, AT_FDCWD, to), 'Y', -1, 0, what, strlen(what), b, strlen(b));
}

static int unlink_any(int dir, const char *path, int flags) {
    char a[PATH_MAX];
    if (mode == OFF || !resolve(dir, path, a)) return (int)syscall(SYS_unlinkat, dir, path, flags);
    SIMPLE(0, syscall(SYS_unlinkat, dir, path, flags), 'U', -1, 0, a, strlen(a), NULL, 0);
}
EXPORT int unlink(const char *path) { return unlink_any(AT_FDCWD, path, 0); }
EXPORT int unlinkat(int dir, const char *path, int flags) { return unlink_any(dir, path, flags); }
EXPORT int rmdir(const char *path) { return unlink_any(AT_FDCWD, path, AT_REMOVEDIR); }

static int mkdir_any(int dir, const char *path, mode_t perm) {
    char a[PATH_MAX];
    if (mode == OFF || !resolve(dir, path, a)) return (int)syscall(SYS_mkdirat, dir, path, perm);
    SIMPLE(1, syscall(SYS_mkdirat, dir, path, perm), 'M', -1, perm, a, strlen(a), NULL, 0);
}
EXPORT int mkdir(const char *path, mode_t perm) { return mkdir_any(AT_FDCWD, path, perm); }
EXPORT int mkdirat(int dir, const char *path, mode_t perm) { return mkdir_any(dir, path, perm); }

/* Permissions. */

EXPORT int fchmodat(int dir, const char *path, mode_t perm, int flags) {
    char a[PATH_MAX];
    (void)flags;
    if (mode == OFF || !resolve(dir, path, a)) return (int)syscall(SYS_fchmodat, dir, path, perm);
    SIMPLE(0, syscall(SYS_fchmodat, dir, path, perm), 'C', -1, perm, a, strlen(a), NULL, 0);
}
EXPORT int chmod(const char *path, mode_t perm) { return fchmodat(AT_FDCWD, path, perm, 0); }
EXPORT int fchmod(int fd, mode_t perm) {
    if (!is_watched(fd)) return (int)syscall(SYS_fchmod, fd, perm);
    SIMPLE(0, syscall(SYS_fchmod, fd, perm), 'c', fd, perm, NULL, 0, NULL, 0);
}

/* A file written through memory would not be seen. SQLite does so with the index of its log (-shm), which no crash has to keep. */
static void *map_any(void *where, size_t len, int protection, int flags, int fd, off_t offset) {
    if (is_watched(fd) && (flags & MAP_SHARED) && (protection & PROT_WRITE)) {
        char link[64], name[PATH_MAX];
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t n = (ssize_t)syscall(SYS_readlinkat, AT_FDCWD, link, name, sizeof name - 1);
        if (n < 4 || memcmp(name + n - 4, "-shm", 4)) {
            pthread_mutex_lock(&gate);
            record('!', fd, 0, name, n < 0 ? 0 : (size_t)n, NULL, 0);
            pthread_mutex_unlock(&gate);
        }
    }
    return (void *)syscall(SYS_mmap, where, len, protection, flags, fd, offset);
}
EXPORT void *mmap(void *where, size_t len, int protection, int flags, int fd, off_t offset) { return map_any(where, len, protection, flags, fd, offset); }
EXPORT void *mmap64(void *where, size_t len, int protection, int flags, int fd, off64_t offset) { return map_any(where, len, protection, flags, fd, offset); }
