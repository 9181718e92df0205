#include "disk_questions.hpp"
#include "support/catch.hpp"
#include "support/simulated_disk.hpp"

#include <cerrno>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

using namespace trackd;
using journal::open_mode;
using test::content;
using test::error_of;
using test::simulated_disk;

namespace {

constexpr std::uint64_t seeds = 200; // enough for whatever may happen to happen

void write(journal::file& to, std::string_view text, std::uint64_t offset = 0) {
    journal::write_fully(to, offset, text);
}

/// What the disk may look like after a cut: the names in the directory, or the content of the file `a`.
std::set<std::vector<std::string>> names_after_cuts(const simulated_disk& disk) {
    std::set<std::vector<std::string>> found;
    for (std::uint64_t seed = 0; seed < seeds; ++seed)
        found.insert(disk.after_power_cut(seed)->list("/disk"));
    return found;
}

std::set<std::string> contents_after_cuts(const simulated_disk& disk) {
    std::set<std::string> found;
    for (std::uint64_t seed = 0; seed < seeds; ++seed)
        found.insert(content(*disk.after_power_cut(seed), "/disk/a"));
    return found;
}

struct fixture {
    simulated_disk disk;
    std::unique_ptr<journal::file> file = disk.open("/disk/a", open_mode::create);

    fixture() { disk.sync_directory("/disk"); }
};

using names = std::vector<std::string>;

} // namespace

TEST_CASE_METHOD(fixture, "the simulated disk behaves as a disk without power cuts", "[doubles]") {
    write(*file, "hello");
    CHECK(content(disk, "/disk/a") == "hello");
    file->truncate(2);
    file->truncate(4);
    CHECK(content(disk, "/disk/a") == std::string{"he\0\0", 4});
    write(*file, "x", 6);
    CHECK(content(disk, "/disk/a") == std::string{"he\0\0\0\0x", 7});
    file->reserve(3);
    CHECK(file->size() == 7);
    file->reserve(9);
    CHECK(file->size() == 9);
    write(*disk.open("/disk/b", open_mode::create), "b");
    disk.rename("/disk/b", "/disk/a");
    CHECK(disk.list("/disk") == names{"a"});
    CHECK(content(disk, "/disk/a") == "b");
    CHECK(file->size() == 9); // who has it open still has it
    disk.remove("/disk/a");
    CHECK(disk.list("/disk").empty());
}

TEST_CASE_METHOD(fixture, "the simulated disk refuses what a disk refuses", "[doubles]") {
    CHECK(error_of([&] { (void)disk.open("/disk/a", open_mode::create); }) == EEXIST);
    CHECK(error_of([&] { (void)disk.open("/disk/b", open_mode::read); }) == ENOENT);
    CHECK(error_of([&] { (void)disk.open("/disk/no/b", open_mode::create); }) == ENOENT);
    CHECK(error_of([&] { write(*disk.open("/disk/a", open_mode::read), "x"); }) == EBADF);
    CHECK(error_of([&] { disk.rename("/disk/b", "/disk/a"); }) == ENOENT);
    CHECK(error_of([&] { disk.remove("/disk/b"); }) == ENOENT);
    CHECK(error_of([&] { disk.sync_directory("/disk/no"); }) == ENOENT);
    CHECK(error_of([&] { disk.make_directory("/disk/a"); }) == EEXIST);
    CHECK(error_of([&] { (void)disk.list("/disk/no"); }) == ENOENT);
}

TEST_CASE_METHOD(fixture, "an unsynced write may be lost and may be there", "[doubles]") {
    write(*file, "hello");
    CHECK(contents_after_cuts(disk) == std::set<std::string>{"", std::string(5, '\0'), "hello"});
    CHECK(content(*disk.after_power_cut(0), "/disk/a").empty());
    CHECK(content(*disk.after_power_cut(1), "/disk/a") == "hello");
}

TEST_CASE_METHOD(fixture, "a synced write is never lost", "[doubles]") {
    write(*file, "hello");
    file->sync();
    CHECK(contents_after_cuts(disk) == std::set<std::string>{"hello"});
}

TEST_CASE_METHOD(fixture, "an unsynced write is torn between sectors but never within one", "[doubles]") {
    file->reserve(1024);
    file->sync();
    write(*file, std::string(1024, 'x'));
    const std::string zeros(512, '\0');
    const std::string written(512, 'x');
    const std::set<std::string> any{zeros + zeros, zeros + written, written + zeros, written + written};
    CHECK(contents_after_cuts(disk) == any);
}

TEST_CASE_METHOD(fixture, "a sector that was written twice has the state of some moment", "[doubles]") {
    write(*file, "----");
    file->sync();
    write(*file, "a", 0);
    write(*file, "b", 1);
    CHECK(contents_after_cuts(disk) == std::set<std::string>{"----", "a---", "ab--"});
}

TEST_CASE_METHOD(fixture, "what was cut off does not come back when the file grows again", "[doubles]") {
    write(*file, "secret");
    file->sync();
    file->truncate(0);
    file->truncate(6);
    CHECK(contents_after_cuts(disk) == std::set<std::string>{"secret", "", std::string(6, '\0')});
}

TEST_CASE_METHOD(fixture, "a size is safe only when the file is synced", "[doubles]") {
    file->reserve(4096);
    CHECK(contents_after_cuts(disk) == std::set<std::string>{"", std::string(4096, '\0')});
    file->sync();
    CHECK(contents_after_cuts(disk) == std::set<std::string>{std::string(4096, '\0')});
}

TEST_CASE_METHOD(fixture, "a new file may be lost though it was synced", "[doubles]") {
    const auto other = disk.open("/disk/b", open_mode::create);
    write(*other, "hello");
    other->sync();
    CHECK(names_after_cuts(disk) == std::set<names>{{"a"}, {"a", "b"}});
    disk.sync_directory("/disk");
    CHECK(names_after_cuts(disk) == std::set<names>{{"a", "b"}});
    CHECK(content(*disk.after_power_cut(0), "/disk/b") == "hello");
}

TEST_CASE_METHOD(fixture, "syncing a directory makes no content safe", "[doubles]") {
    write(*file, "hello");
    disk.sync_directory("/disk");
    CHECK(content(*disk.after_power_cut(0), "/disk/a").empty());
}

TEST_CASE_METHOD(fixture, "an unsynced rename may be undone but is never half done", "[doubles]") {
    disk.rename("/disk/a", "/disk/b");
    CHECK(names_after_cuts(disk) == std::set<names>{{"a"}, {"b"}});
    disk.sync_directory("/disk");
    CHECK(names_after_cuts(disk) == std::set<names>{{"b"}});
}

TEST_CASE_METHOD(fixture, "a file that a rename replaces is the old one or the new one", "[doubles]") {
    write(*file, "old");
    file->sync();
    const auto anew = disk.open("/disk/b", open_mode::create);
    write(*anew, "new");
    anew->sync();
    disk.rename("/disk/b", "/disk/a");
    CHECK(contents_after_cuts(disk) == std::set<std::string>{"old", "new"});
}

TEST_CASE_METHOD(fixture, "an unsynced removal may be undone", "[doubles]") {
    write(*file, "hello");
    file->sync();
    file.reset();
    disk.remove("/disk/a");
    CHECK(names_after_cuts(disk) == std::set<names>{{}, {"a"}});
    CHECK(content(*disk.after_power_cut(0), "/disk/a") == "hello");
    disk.sync_directory("/disk");
    CHECK(names_after_cuts(disk) == std::set<names>{{}});
}

TEST_CASE_METHOD(fixture, "operations on directories survive independently of their order", "[doubles]") {
    disk.remove("/disk/a");
    (void)disk.open("/disk/b", open_mode::create);
    CHECK(names_after_cuts(disk) == std::set<names>{{}, {"a"}, {"b"}, {"a", "b"}});
}

TEST_CASE_METHOD(fixture, "a directory is safe only when the one above it is synced", "[doubles]") {
    disk.make_directory("/disk/inner");
    write(*disk.open("/disk/inner/b", open_mode::create), "hello");
    disk.sync_directory("/disk/inner");
    CHECK(error_of([&] { (void)disk.after_power_cut(0)->list("/disk/inner"); }) == ENOENT);
    disk.sync_directory("/disk");
    CHECK(disk.after_power_cut(0)->list("/disk/inner") == names{"b"});
}

TEST_CASE_METHOD(fixture, "the same seed leaves the same disk", "[doubles]") {
    write(*file, std::string(8192, 'x'));
    const auto seed = GENERATE(range(0, 20));
    const auto number = static_cast<std::uint64_t>(seed);
    CHECK(
        content(*disk.after_power_cut(number), "/disk/a") == content(*disk.after_power_cut(number), "/disk/a")
    );
}

TEST_CASE_METHOD(fixture, "what a cut left is safe from the next one", "[doubles]") {
    write(*file, "hello");
    const auto after = disk.after_power_cut(1);
    CHECK(content(*after->after_power_cut(0), "/disk/a") == "hello");
}

TEST_CASE_METHOD(fixture, "a full disk takes what it has room for and then nothing", "[doubles]") {
    disk.limit(2 * simulated_disk::block_bytes);
    CHECK(disk.free_bytes("/disk") == 8192);
    CHECK(file->write_at(0, std::string(10'000, 'x')) == 8192);
    CHECK(disk.free_bytes("/disk") == 0);
    CHECK(error_of([&] { write(*file, "x", 8192); }) == ENOSPC);
    CHECK(error_of([&] { write(*file, "x", 8191); }) == 0); // takes no room
}

TEST_CASE_METHOD(fixture, "a reservation that finds too little room says so and keeps it", "[doubles]") {
    disk.limit(2 * simulated_disk::block_bytes);
    CHECK(error_of([&] { file->reserve(10'000); }) == ENOSPC);
    CHECK(file->size() == 8192);
    CHECK(disk.free_bytes("/disk") == 0);
    file->truncate(100);
    CHECK(disk.free_bytes("/disk") == 4096);
}

TEST_CASE_METHOD(fixture, "reserved room is there on a full disk", "[doubles]") {
    file->reserve(8192);
    disk.limit(disk.used());
    CHECK(error_of([&] { write(*file, std::string(8192, 'x')); }) == 0);
    CHECK(error_of([&] { write(*file, "x", 8192); }) == ENOSPC);
}

TEST_CASE_METHOD(fixture, "a removed file gives its room back when nobody has it open", "[doubles]") {
    file->reserve(8192);
    disk.remove("/disk/a");
    CHECK(disk.used() == 8192);
    file.reset();
    CHECK(disk.used() == 0);
}

TEST_CASE_METHOD(fixture, "a file that is replaced gives its room back", "[doubles]") {
    file->reserve(8192);
    file.reset();
    (void)disk.open("/disk/b", open_mode::create);
    disk.rename("/disk/b", "/disk/a");
    CHECK(disk.used() == 0);
}

TEST_CASE_METHOD(fixture, "a sync that failed loses what it was to make safe, for good", "[doubles]") {
    write(*file, "hello");
    disk.fail_next_sync(EIO);
    CHECK(error_of([&] { file->sync(); }) == EIO);
    CHECK(content(disk, "/disk/a") == "hello");
    CHECK(error_of([&] { file->sync(); }) == 0);
    CHECK(content(*disk.after_power_cut(1), "/disk/a").empty());
    write(*file, "hello");
    file->sync();
    CHECK(content(*disk.after_power_cut(0), "/disk/a") == "hello");
}

TEST_CASE_METHOD(fixture, "a test sees the disk after each operation", "[doubles]") {
    std::vector<std::string> left;
    std::uint64_t last = 0;
    disk.after_each([&](std::uint64_t number, const test::disk_image& now) {
        CHECK(number > last);
        last = number;
        left.push_back(content(*now.after_power_cut(0), "/disk/a"));
    });
    write(*file, "one");
    file->sync();
    write(*file, "two");
    file->sync();
    CHECK(left == std::vector<std::string>{"", "one", "one", "two"});
}

TEST_CASE_METHOD(fixture, "an image does not change when the disk does", "[doubles]") {
    const auto before = disk.snapshot();
    write(*file, "hello");
    file->sync();
    CHECK(content(*before.after_power_cut(1), "/disk/a").empty());
}
