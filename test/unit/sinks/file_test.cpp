#include "lines.hpp"
#include "sinks/file.hpp"

#include <sys/stat.h>
#include <unistd.h>

using namespace trackd;
using test::contains;
using test::error_of;
using test::ids_in;

namespace fs = std::filesystem;

namespace {

using ids = std::vector<std::string>;

std::unique_ptr<sink> open_file(const fs::path& path) {
    auto sink = sinks::make_file_sink({.path = path});
    sink->open();
    return sink;
}

} // namespace

TEST_CASE("each event becomes one line of the file, as CloudEvents JSON", "[sinks][file]") {
    const test::temporary_directory directory;
    const auto sink = open_file(directory / "events.jsonl");
    const auto events = test::tricky_events();
    CHECK(sink->write(events, {}).confirmed == events.size());
    const auto objects = test::objects_in(directory / "events.jsonl");
    REQUIRE(objects.size() == events.size());
    for (std::size_t i = 0; i < objects.size(); ++i)
        test::check_same(objects[i], events[i]);
}

TEST_CASE("a file is private to its owner", "[sinks][file]") {
    const test::temporary_directory directory;
    const auto sink = open_file(directory / "events.jsonl");
    CHECK(
        fs::status(directory / "events.jsonl").permissions() ==
        (fs::perms::owner_read | fs::perms::owner_write)
    );
}

TEST_CASE("a file that was there is continued", "[sinks][file]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.jsonl";
    const auto first = open_file(path);
    test::write_all(*first, test::numbered_events{2});
    first->close();
    const auto second = open_file(path);
    test::write_all(*second, test::numbered_events{2, 3});
    CHECK(ids_in(path) == ids{"1", "2", "3", "4"});
}

TEST_CASE("the file sink recognises nothing, and writes a repeated event again", "[sinks][file]") {
    const test::temporary_directory directory;
    const auto sink = open_file(directory / "events.jsonl");
    CHECK(test::write_all(*sink, test::numbered_events{1}) == 0);
    CHECK(test::write_all(*sink, test::numbered_events{1}) == 0);
    CHECK(ids_in(directory / "events.jsonl") == ids{"1", "1"});
}

TEST_CASE("a relative path starts at the directory of the time of making", "[sinks][file]") {
    const test::temporary_directory directory;
    const auto before = fs::current_path();
    fs::current_path(directory.path());
    const auto sink = sinks::make_file_sink({.path = "events.jsonl"});
    fs::current_path(before);
    sink->open();
    CHECK(fs::exists(directory / "events.jsonl"));
}

TEST_CASE("a file that can never be opened is refused with its path and the reason", "[sinks][file]") {
    const test::temporary_directory directory;
    test::write_file(directory / "file", "");
    fs::create_directory(directory / "directory");

    const auto below_a_file = directory / "file" / "events.jsonl";
    CHECK(error_of([&] {
              open_file(below_a_file);
          }) == "cannot open " + below_a_file.string() + ": Not a directory");
    const auto not_a_file = directory / "directory";
    CHECK(error_of([&] {
              open_file(not_a_file);
          }) == "cannot open " + not_a_file.string() + ": Is a directory");
    CHECK(error_of([] { open_file("/dev/full"); }) == "cannot use /dev/full: it is not a regular file");
}

TEST_CASE("a pipe is refused, and not waited for", "[sinks][file]") {
    const test::temporary_directory directory;
    const auto pipe = directory / "pipe";
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    CHECK(error_of([&] { open_file(pipe); }) == "cannot use " + pipe.string() + ": it is not a regular file");
}

TEST_CASE("a directory that may not be written to is refused", "[sinks][file]") {
    if (::geteuid() == 0) {
        WARN("skipped: root may write everywhere");
        return;
    }
    const test::temporary_directory directory;
    fs::permissions(directory.path(), fs::perms::owner_read | fs::perms::owner_exec);
    CHECK(contains(error_of([&] { open_file(directory / "events.jsonl"); }), "Permission denied"));
    fs::permissions(directory.path(), fs::perms::owner_all);
}

TEST_CASE("an unfinished line that a crash left is cut off", "[sinks][file]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.jsonl";
    test::write_all(*open_file(path), test::numbered_events{2});
    const auto whole = test::read_file(path);
    const auto first_line = whole.find('\n') + 1;
    for (auto length = whole.size() - 1; length > first_line; length -= length % 7 + 1) {
        test::write_file(path, whole.substr(0, length));
        open_file(path);
        CHECK(fs::file_size(path) == first_line);
    }
    const auto sink = open_file(path);
    test::write_all(*sink, test::numbered_events{1, 2});
    CHECK(test::read_file(path) == whole);
}

TEST_CASE("a file that is nothing but an unfinished line is emptied", "[sinks][file]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.jsonl";
    test::write_file(path, R"({"specversion":"1.0","id":"1","sou)");
    open_file(path);
    CHECK(fs::file_size(path) == 0);
}

TEST_CASE("an unfinished line is found, however long it is", "[sinks][file]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.jsonl";
    const auto start = std::string{R"({"specversion":"1.0","id":")"};
    for (const std::size_t length : {65'535U, 65'536U, 65'537U, 300'000U}) {
        test::write_file(path, "{}\n" + start + std::string(length - start.size(), 'x'));
        open_file(path);
        CHECK(fs::file_size(path) == 3);
    }
}

TEST_CASE("zeros that a crash of the machine left are cut off", "[sinks][file]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.jsonl";
    test::write_file(path, "{}\n" + std::string(5000, '\0'));
    open_file(path);
    CHECK(test::read_file(path) == "{}\n");
}

TEST_CASE("somebody else's unfinished line is refused and left as it is", "[sinks][file]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.jsonl";
    for (const auto* text : {"root:x:0:0", "{}\n{\"specversion\":\"0.3\"", "{}\nx"}) {
        test::write_file(path, text);
        CHECK(contains(
            error_of([&] { open_file(path); }), path.string() + ": it ends within a line that trackd"
        ));
        CHECK(test::read_file(path) == text);
    }
}

TEST_CASE("a write that a full disk cuts short leaves whole lines, and works again later", "[sinks][file]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.jsonl";
    const auto sink = open_file(path);
    test::write_all(*sink, test::numbered_events{2});
    {
        const test::file_size_limit full{fs::file_size(path) + 100};
        CHECK(error_of([&] {
                  test::write_all(*sink, test::numbered_events{5, 3});
              }) == "cannot write to " + path.string() + ": File too large");
        CHECK(ids_in(path) == ids{"1", "2"});
        CHECK(
            contains(error_of([&] { test::write_all(*sink, test::numbered_events{5, 3}); }), "File too large")
        );
    }
    test::write_all(*sink, test::numbered_events{5, 3});
    CHECK(ids_in(path) == ids{"1", "2", "3", "4", "5", "6", "7"});
}

TEST_CASE("a file that was moved away is left alone, and a new one made", "[sinks][file]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.jsonl";
    const auto sink = open_file(path);
    test::write_all(*sink, test::numbered_events{1});
    fs::rename(path, directory / "events.jsonl.1");
    test::write_all(*sink, test::numbered_events{1, 2});
    CHECK(ids_in(directory / "events.jsonl.1") == ids{"1"});
    CHECK(ids_in(path) == ids{"2"});
}

TEST_CASE("a file that somebody put in its place is continued", "[sinks][file]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.jsonl";
    const auto sink = open_file(path);
    test::write_all(*sink, test::numbered_events{1});
    fs::rename(path, directory / "events.jsonl.1");
    test::write_file(path, "");
    test::write_all(*sink, test::numbered_events{1, 2});
    CHECK(ids_in(path) == ids{"2"});
}

TEST_CASE("a file that was emptied in place is continued from its start", "[sinks][file]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.jsonl";
    const auto sink = open_file(path);
    test::write_all(*sink, test::numbered_events{3});
    fs::resize_file(path, 0); // logrotate's copytruncate
    test::write_all(*sink, test::numbered_events{1, 4});
    {
        const test::file_size_limit full{fs::file_size(path) + 10};
        CHECK_THROWS(test::write_all(*sink, test::numbered_events{1, 5}));
    }
    CHECK(ids_in(path) == ids{"4"});
}

TEST_CASE("a directory that is gone fails the write, until it is back", "[sinks][file]") {
    const test::temporary_directory directory;
    fs::create_directory(directory / "sub");
    const auto path = directory / "sub" / "events.jsonl";
    const auto sink = open_file(path);
    fs::remove_all(directory / "sub");
    CHECK(contains(
        error_of([&] { test::write_all(*sink, test::numbered_events{1}); }), "No such file or directory"
    ));
    fs::create_directory(directory / "sub");
    test::write_all(*sink, test::numbered_events{1});
    CHECK(ids_in(path) == ids{"1"});
}

TEST_CASE("without syncing the file sink writes the same", "[sinks][file]") {
    const test::temporary_directory directory;
    const auto sink = sinks::make_file_sink({.path = directory / "events.jsonl", .sync = false});
    sink->open();
    test::write_all(*sink, test::numbered_events{2});
    sink->close();
    CHECK(ids_in(directory / "events.jsonl") == ids{"1", "2"});
}

TEST_CASE("the file sink that was stopped confirms nothing", "[sinks][file]") {
    const test::temporary_directory directory;
    const auto sink = open_file(directory / "events.jsonl");
    std::stop_source stop;
    stop.request_stop();
    CHECK(sink->write(test::numbered_events{2}, stop.get_token()).confirmed == 0);
    CHECK(ids_in(directory / "events.jsonl").empty());
}
