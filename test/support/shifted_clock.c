// Preloaded into a process: its wall clock, and nothing else, is off by so many seconds as stand in a file, 8 bytes in
// the machine's order, that a test can change at any moment. The monotonic clocks are the machine's.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t* seconds;

__attribute__((constructor)) static void look(void) {
    const char* path = getenv("SHIFTED_CLOCK");
    const int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    void* const found = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (found != MAP_FAILED) seconds = found;
}

static int64_t shift(void) {
    return seconds == NULL ? 0 : *seconds;
}

int clock_gettime(clockid_t which, struct timespec* now) {
    const int result = (int)syscall(SYS_clock_gettime, which, now);
    if (result == 0 && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) now->tv_sec += shift();
    return result;
}

int gettimeofday(struct timeval* now, void* zone) {
    (void)zone;
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

int timespec_get(struct timespec* now, int base) {
    return clock_gettime(CLOCK_REALTIME, now) == 0 ? base : 0;
}

time_t time(time_t* to) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (to != NULL) *to = now.tv_sec;
    return now.tv_sec;
}

// A wait until a reading of the shifted clock is one until the same moment of the kernel's. What is so small is a reading
// of a monotonic clock.
static struct timespec unshifted(struct timespec moment) {
    if (moment.tv_sec > 1000000000) moment.tv_sec -= shift();
    return moment;
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex, const struct timespec* until) {
    static int (*next)(pthread_cond_t*, pthread_mutex_t*, const struct timespec*);
    // The name alone finds the version of before 2003, which has another layout of the condition.
    if (next == NULL) *(void**)&next = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    if (next == NULL) *(void**)&next = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
    const struct timespec moment = unshifted(*until);
    return next(condition, mutex, &moment);
}

// The C library's threads of C11 call the one above without its name.
int cnd_timedwait(cnd_t* condition, mtx_t* mutex, const struct timespec* until) {
    static int (*next)(cnd_t*, mtx_t*, const struct timespec*);
    if (next == NULL) *(void**)&next = dlsym(RTLD_NEXT, "cnd_timedwait");
    const struct timespec moment = unshifted(*until);
    return next(condition, mutex, &moment);
}
