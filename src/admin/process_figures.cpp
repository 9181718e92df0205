#include "admin/process_figures.hpp"

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

namespace trackd::admin {

namespace {

std::string text_of(const char* path) {
    std::ifstream file{path};
    return {std::istreambuf_iterator<char>{file}, {}};
}

double seconds_of(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// When the system was started, since 1970: not from /proc/stat, which ProcSubset=pid hides. To the second, so that it
// is the same each time, though the two clocks are not read at once.
double boot_seconds() {
    return std::round(seconds_of(CLOCK_REALTIME) - seconds_of(CLOCK_BOOTTIME));
}

// What stands there after the command's name, which may have anything in it: proc_pid_stat(5).
void read_stat(process_figures& into) {
    const auto text = text_of("/proc/self/stat");
    const auto name_end = text.rfind(')');
    if (name_end == std::string::npos) throw std::runtime_error{"/proc/self/stat has no name in it"};
    std::istringstream fields{text.substr(name_end + 1)};
    const auto skip = [&fields](int count) {
        for (std::string one; count > 0; --count)
            fields >> one;
    };
    std::uint64_t user = 0;
    std::uint64_t system = 0;
    std::uint64_t threads = 0;
    std::uint64_t start = 0;
    std::uint64_t bytes = 0;
    std::uint64_t pages = 0;
    skip(11); // from the state to the major faults of its children
    fields >> user >> system;
    skip(4);
    fields >> threads;
    skip(1);
    fields >> start >> bytes >> pages;
    if (!fields) throw std::runtime_error{"/proc/self/stat is shorter than expected"};
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    into.cpu_seconds = static_cast<double>(user + system) / ticks;
    into.threads = static_cast<double>(threads);
    // Kept from the first time: the wall clock may be set later, and the process has not started again by that.
    static const double started = boot_seconds() + static_cast<double>(start) / ticks;
    into.start_seconds = started;
    into.virtual_bytes = static_cast<double>(bytes);
    into.resident_bytes = static_cast<double>(pages) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

} // namespace

process_figures read_process_figures() {
    process_figures figures;
    read_stat(figures);
    namespace fs = std::filesystem;
    const auto open = std::distance(fs::directory_iterator{"/proc/self/fd"}, fs::directory_iterator{});
    figures.open_files = static_cast<double>(open - 1); // but for the one that this took
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    figures.max_files = limit.rlim_cur == RLIM_INFINITY ? std::numeric_limits<double>::infinity()
                                                        : static_cast<double>(limit.rlim_cur);
    return figures;
}

} // namespace trackd::admin
