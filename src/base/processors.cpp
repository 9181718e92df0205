#include "base/processors.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <sched.h>
#include <string>

namespace trackd::base {

namespace {

unsigned processors_of_our_affinity() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
}

// "max 100000" or "50000 100000" (cgroup v2).
std::optional<double> quota_v2(const std::filesystem::path& group) {
    std::ifstream file{group / "cpu.max"};
    double quota = 0;
    double period = 0;
    if (file >> quota >> period && quota > 0 && period > 0) return quota / period;
    return {};
}

std::optional<double> quota_v1(const std::filesystem::path& group) {
    std::ifstream quota_file{group / "cpu.cfs_quota_us"};
    std::ifstream period_file{group / "cpu.cfs_period_us"};
    double quota = 0;
    double period = 0;
    if (quota_file >> quota && period_file >> period && quota > 0 && period > 0) return quota / period;
    return {};
}

// Each line of /proc/self/cgroup is "hierarchy:controllers:path"; a quota of any group above ours binds us
// too.
std::optional<double> smallest_quota(const std::filesystem::path& root) {
    std::optional<double> smallest;
    const auto consider = [&smallest](std::optional<double> quota) {
        if (quota && (!smallest || *quota < *smallest)) smallest = quota;
    };
    std::ifstream groups{root / "proc/self/cgroup"};
    for (std::string line; std::getline(groups, line);) {
        const auto first = line.find(':');
        const auto second = line.find(':', first + 1);
        if (second == std::string::npos) continue;
        const auto controllers = "," + line.substr(first + 1, second - first - 1) + ",";
        const bool v2 = controllers == ",,";
        if (!v2 && controllers.find(",cpu,") == std::string::npos) continue;
        const auto base = v2 ? root / "sys/fs/cgroup" : root / "sys/fs/cgroup/cpu";
        for (auto group = std::filesystem::path{line.substr(second + 1)};; group = group.parent_path()) {
            const auto directory = base / group.relative_path();
            consider(v2 ? quota_v2(directory) : quota_v1(directory));
            if (!group.has_relative_path()) break;
        }
    }
    return smallest;
}

} // namespace

unsigned usable_processors(const std::filesystem::path& root) {
    const auto ours = processors_of_our_affinity();
    const auto quota = smallest_quota(root);
    if (!quota) return ours;
    return std::clamp(static_cast<unsigned>(std::ceil(*quota)), 1U, ours);
}

} // namespace trackd::base
