#include "disk_questions.hpp"
#include "support/catch.hpp"
#include "support/faulty_files.hpp"
#include "support/simulated_disk.hpp"

#include <atomic>
#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

using namespace trackd;
using journal::open_mode;
using test::content;
using test::error_of;
using test::operation;

namespace {

struct fixture {
    test::simulated_disk disk;
    test::faulty_files files{disk};
    std::unique_ptr<journal::file> file = files.open("/disk/a", open_mode::create); // operation 1
};

void write(journal::file& to, std::string_view text) {
    journal::write_fully(to, 0, text);
}

} // namespace

TEST_CASE_METHOD(fixture, "operations pass through and are counted", "[doubles]") {
    write(*file, "hello");
    file->sync();
    file->reserve(9);
    file->truncate(5);
    CHECK(file->size() == 5);
    files.sync_directory("/disk");
    files.make_directory("/disk/inner");
    CHECK(files.list("/disk") == std::vector<std::string>{"a"});
    CHECK(files.free_bytes("/disk") > 0);
    files.rename("/disk/a", "/disk/b");
    CHECK(content(disk, "/disk/b") == "hello");
    files.remove("/disk/b");
    CHECK(files.count() == 12);
    CHECK(files.count(operation::write) == 1);
    CHECK(files.count(operation::read) == 0);
    const auto calls = files.calls();
    CHECK(calls[1].kind == operation::write);
    CHECK(calls[1].path == "/disk/a");
    CHECK(calls[11].file == calls[0].file); // under its new name
}

TEST_CASE_METHOD(fixture, "the n-th operation fails once", "[doubles]") {
    files.fail({{}, 3, ENOSPC});
    write(*file, "hello");
    CHECK(error_of([&] { file->sync(); }) == ENOSPC);
    CHECK(error_of([&] { file->sync(); }) == 0);
    CHECK(files.calls()[2].error == ENOSPC);
    CHECK(files.calls()[3].error == 0);
}

TEST_CASE_METHOD(fixture, "the n-th of a kind fails, and all after it if it is to last", "[doubles]") {
    const bool lasting = GENERATE(false, true);
    files.fail({operation::sync, 2, EIO, lasting});
    CHECK(error_of([&] { file->sync(); }) == 0);
    CHECK(error_of([&] { write(*file, "hello"); }) == 0);
    CHECK(error_of([&] { file->sync(); }) == EIO);
    CHECK(error_of([&] { file->sync(); }) == (lasting ? EIO : 0));
    files.heal();
    CHECK(error_of([&] { file->sync(); }) == 0);
}

TEST_CASE_METHOD(fixture, "a failed operation does nothing", "[doubles]") {
    files.fail({operation::write, 1, EDQUOT});
    files.fail({operation::rename, 1, EIO});
    CHECK(error_of([&] { write(*file, "hello"); }) == EDQUOT);
    CHECK(error_of([&] { files.rename("/disk/a", "/disk/b"); }) == EIO);
    CHECK(content(disk, "/disk/a").empty());
}

TEST_CASE_METHOD(fixture, "a short write does half, and the next one on the file fails", "[doubles]") {
    const auto other = files.open("/disk/b", open_mode::create);
    files.fail({operation::write, 1, ENOSPC, false, true});
    CHECK(file->write_at(0, std::string_view{"hello!"}) == 3);
    write(*other, "there");
    CHECK(error_of([&] { (void)file->write_at(3, std::string_view{"lo!"}); }) == ENOSPC);
    CHECK(content(disk, "/disk/a") == "hel");
    write(*file, "hello!");
    CHECK(content(disk, "/disk/a") == "hello!");
}

TEST_CASE_METHOD(fixture, "what is left out does nothing and says it did", "[doubles]") {
    write(*file, "hello");
    files.sync_directory("/disk");
    files.leave_out(operation::sync);
    file->sync();
    CHECK(content(*disk.after_power_cut(0), "/disk/a").empty());
    CHECK(files.count(operation::sync) == 1);
}

TEST_CASE_METHOD(fixture, "a file made anew under an old name is another file", "[doubles]") {
    files.remove("/disk/a");
    const auto anew = files.open("/disk/a", open_mode::create);
    anew->sync();
    file->sync();
    const auto calls = files.calls();
    CHECK(calls[3].file != calls[0].file);
    CHECK(calls[4].file == calls[0].file);
}

TEST_CASE_METHOD(fixture, "the callback comes before the operation and may make it fail", "[doubles]") {
    files.before_each([this](const test::faulty_files::call& call) {
        if (call.kind != operation::write) return;
        CHECK(content(disk, "/disk/a").empty());
        files.fail({{}, call.number, EIO});
    });
    CHECK(error_of([&] { write(*file, "hello"); }) == EIO);
}

TEST_CASE_METHOD(fixture, "a sync hangs until the disk goes on", "[doubles]") {
    std::atomic<bool> synced = false;
    std::jthread waiting;
    {
        const test::faulty_files::hang hang{files};
        waiting = std::jthread{[&] {
            file->sync();
            synced = true;
        }};
        while (files.hanging() == 0)
            std::this_thread::yield();
        files.sync_directory("/disk"); // only syncs of files hang
        CHECK_FALSE(synced);
    }
    waiting.join();
    CHECK(synced);
    CHECK(files.hanging() == 0);
}
