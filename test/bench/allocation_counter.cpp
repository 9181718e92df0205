// Counts the heap allocations of the program that it is loaded into with LD_PRELOAD: each call of malloc, calloc,
// realloc and those that align, by whomever. The count, eight bytes, is in the file that ALLOCATION_COUNT names, which
// has to be there: so another process can look at it at any time.
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

extern "C" {
// glibc's own, which stay what they are.
void* real_malloc(std::size_t) __asm__("__libc_malloc");
void* real_calloc(std::size_t, std::size_t) __asm__("__libc_calloc");
void* real_realloc(void*, std::size_t) __asm__("__libc_realloc");
void* real_memalign(std::size_t, std::size_t) __asm__("__libc_memalign");
}

namespace {

using counter = std::atomic<std::uint64_t>;

counter before_start{0};
std::atomic<counter*> count{&before_start};

void count_one() {
    count.load(std::memory_order_relaxed)->fetch_add(1, std::memory_order_relaxed);
}

[[gnu::constructor]] void share_the_count() {
    const char* path = std::getenv("ALLOCATION_COUNT");
    const int file = path == nullptr ? -1 : ::open(path, O_RDWR | O_CLOEXEC);
    void* shared = MAP_FAILED;
    if (file >= 0 && ::ftruncate(file, sizeof(counter)) == 0)
        shared = ::mmap(nullptr, sizeof(counter), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (shared == MAP_FAILED) {
        ::dprintf(2, "allocation_counter: ALLOCATION_COUNT is to name a file that can be written\n");
        ::_exit(2);
    }
    ::close(file);
    count = static_cast<counter*>(shared);
}

} // namespace

extern "C" {

[[gnu::visibility("default")]] void* malloc(std::size_t bytes) {
    count_one();
    return real_malloc(bytes);
}

[[gnu::visibility("default")]] void* calloc(std::size_t members, std::size_t bytes) {
    count_one();
    return real_calloc(members, bytes);
}

[[gnu::visibility("default")]] void* realloc(void* old, std::size_t bytes) {
    count_one();
    return real_realloc(old, bytes);
}

[[gnu::visibility("default")]] void* memalign(std::size_t alignment, std::size_t bytes) {
    count_one();
    return real_memalign(alignment, bytes);
}

[[gnu::visibility("default")]] void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
    count_one();
    return real_memalign(alignment, bytes);
}

[[gnu::visibility("default")]] int posix_memalign(void** to, std::size_t alignment, std::size_t bytes) {
    count_one();
    *to = real_memalign(alignment, bytes);
    return *to == nullptr ? ENOMEM : 0;
}
}
