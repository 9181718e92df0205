// What a commit costs the disk, by how the file was made and how it is synced: the ground for two decisions in
// docs/architecture.md.
//
//     sync_bench DIRECTORY [COMMITS [BYTES]]
//
// Rounds are interleaved; microseconds a commit, over all rounds.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

constexpr off_t segment_bytes = off_t{64} << 20U;

enum class made { grows, reserved, zeroed, reused };

struct way {
    const char* name;
    made by;
    bool dsync; // O_DSYNC instead of fdatasync
    std::vector<double> took{};
};

void must(bool held, const char* what) {
    if (!held) throw std::runtime_error{what};
}

void write_at(int file, const std::vector<char>& bytes, off_t at) {
    must(pwrite(file, bytes.data(), bytes.size(), at) == static_cast<ssize_t>(bytes.size()), "pwrite");
}

int open_segment(const std::string& path, const way& how) {
    if (how.by != made::reused) unlink(path.c_str());
    const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | (how.dsync ? O_DSYNC : 0), 0600);
    must(file >= 0, "open");
    const auto bytes = lseek(file, 0, SEEK_END);
    if (how.by == made::reserved) must(fallocate(file, 0, 0, segment_bytes) == 0, "fallocate");
    if (how.by == made::zeroed || (how.by == made::reused && bytes < segment_bytes)) {
        const std::vector<char> zeros(std::size_t{1} << 20U);
        for (off_t at = 0; at < segment_bytes; at += static_cast<off_t>(zeros.size()))
            write_at(file, zeros, at);
    }
    must(fsync(file) == 0, "fsync");
    return file;
}

void commit(int file, way& how, const std::vector<char>& bytes, off_t at) {
    const auto began = std::chrono::steady_clock::now();
    write_at(file, bytes, at);
    if (!how.dsync) must(fdatasync(file) == 0, "fdatasync");
    how.took.push_back(
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - began).count()
    );
}

void run_round(const std::string& directory, way& how, int commits, std::size_t bytes) {
    const auto path = directory + "/sync_bench." + how.name;
    const int file = open_segment(path, how);
    const std::vector<char> block(bytes, 'x');
    for (int i = 0; i < commits; ++i)
        commit(
            file, how, block, static_cast<off_t>(static_cast<std::size_t>(i) * bytes) % (segment_bytes / 2)
        );
    close(file);
    if (how.by != made::reused) unlink(path.c_str());
}

} // namespace

int main(int argc, char** argv) try {
    must(argc >= 2, "usage: sync_bench DIRECTORY [COMMITS [BYTES]]");
    const int commits = argc > 2 ? std::atoi(argv[2]) : 200;
    const auto bytes = static_cast<std::size_t>(argc > 3 ? std::atoi(argv[3]) : 4096);
    std::vector<way> ways{
        {"growing", made::grows, false},         {"reserved", made::reserved, false},
        {"zeroed", made::zeroed, false},         {"reused", made::reused, false},
        {"zeroed, O_DSYNC", made::zeroed, true}, {"reused, O_DSYNC", made::reused, true},
    };
    for (int round = 0; round < 5; ++round)
        for (auto& how : ways)
            run_round(argv[1], how, commits, bytes);
    std::printf("| file | p50 µs | p90 µs | p99 µs |\n|---|---:|---:|---:|\n");
    for (auto& how : ways) {
        std::sort(how.took.begin(), how.took.end());
        const auto at = [&how](double share) {
            return how.took[static_cast<std::size_t>(share * static_cast<double>(how.took.size()))];
        };
        std::printf("| %s | %.0f | %.0f | %.0f |\n", how.name, at(0.5), at(0.9), at(0.99));
        unlink((std::string{argv[1]} + "/sync_bench." + how.name).c_str());
    }
    return 0;
} catch (const std::exception& why) {

    std::fprintf(stderr, "sync_bench: %s\n", why.what());
    return 1;
}
