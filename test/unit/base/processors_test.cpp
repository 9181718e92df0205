#include "base/processors.hpp"
#include "support/catch.hpp"

#include <filesystem>
#include <fstream>
#include <sched.h>
#include <string>
#include <unistd.h>

using namespace trackd;

namespace {

// A root directory with the files that a container would see.
class fake_root {
public:
    fake_root()
        : path_{std::filesystem::temp_directory_path() / ("trackd-root-" + std::to_string(::getpid()))} {
        std::filesystem::create_directories(path_);
    }

    ~fake_root() { std::filesystem::remove_all(path_); }

    fake_root(const fake_root&) = delete;
    fake_root& operator=(const fake_root&) = delete;

    void write(const std::string& file, const std::string& text) const {
        std::filesystem::create_directories((path_ / file).parent_path());
        std::ofstream{path_ / file} << text;
    }

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

unsigned affinity() {
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof set, &set);
    return static_cast<unsigned>(CPU_COUNT(&set));
}

} // namespace

TEST_CASE("without a quota every processor of our affinity counts", "[processors]") {
    const fake_root root;
    CHECK(base::usable_processors(root.path()) == affinity());
}

TEST_CASE("half a processor of quota is one thread", "[processors]") {
    const fake_root root;
    root.write("proc/self/cgroup", "0::/pod/container\n");
    root.write("sys/fs/cgroup/pod/container/cpu.max", "50000 100000\n");
    CHECK(base::usable_processors(root.path()) == 1);
}

TEST_CASE("a quota of a group above ours binds us, too", "[processors]") {
    const fake_root root;
    root.write("proc/self/cgroup", "0::/pod/container\n");
    root.write("sys/fs/cgroup/pod/container/cpu.max", "max 100000\n");
    root.write("sys/fs/cgroup/pod/cpu.max", "100000 100000\n");
    CHECK(base::usable_processors(root.path()) == 1);
}

TEST_CASE("the older kind of cgroup is understood", "[processors]") {
    const fake_root root;
    root.write("proc/self/cgroup", "5:cpu,cpuacct:/box\n1:name=systemd:/\n");
    root.write("sys/fs/cgroup/cpu/box/cpu.cfs_quota_us", "100000\n");
    root.write("sys/fs/cgroup/cpu/box/cpu.cfs_period_us", "100000\n");
    CHECK(base::usable_processors(root.path()) == 1);
}

TEST_CASE("a quota that is larger than the machine changes nothing", "[processors]") {
    const fake_root root;
    root.write("proc/self/cgroup", "0::/\n");
    root.write("sys/fs/cgroup/cpu.max", "100000000 100000\n");
    CHECK(base::usable_processors(root.path()) == affinity());
}
