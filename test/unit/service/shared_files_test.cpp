#include "service/shared_files.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

using namespace trackd;
using service::find_shared_files;

namespace fs = std::filesystem;

namespace {

struct fixture {
    test::temporary_directory directory;
    config::settings settings;

    fixture() { settings.data_dir = (directory / "data").string(); }

    void add_sink(const std::string& name, const std::string& path) {
        config::sink_settings sink;
        sink.name = name;
        sink.kind = path.ends_with(".db") ? config::sink_kind::sqlite : config::sink_kind::file;
        (path.ends_with(".db") ? sink.sqlite.path : sink.file.path) = (directory / path).string();
        settings.sinks.push_back(std::move(sink));
    }

    [[nodiscard]] bool is_shared() const { return find_shared_files(settings).size() == 1; }
};

} // namespace

TEST_CASE_METHOD(fixture, "files of their own are no problem", "[service]") {
    add_sink("a", "data/events.jsonl");
    add_sink("b", "data/events.db");
    add_sink("c", "data/deep/events.jsonl");
    settings.log.file = (directory / "data/log").string();
    settings.http.listen = {"unix:" + (directory / "data/socket").string(), "127.0.0.1:0"};
    CHECK(find_shared_files(settings).empty());
}

TEST_CASE_METHOD(fixture, "two sinks share a file through a link in its path", "[service]") {
    fs::create_directory(directory / "one");
    fs::create_directory_symlink("one", directory / "other");
    add_sink("a", "one/e.jsonl");
    add_sink("b", "other/e.jsonl");
    CHECK(
        find_shared_files(settings) ==
        std::vector{
            "sink b: path: found \"" + (directory / "other/e.jsonl").string() +
            "\", which is a file of sink a, too; expected a file of its own"
        }
    );
}

TEST_CASE_METHOD(fixture, "a link to a file that does not exist yet is that file", "[service]") {
    fs::create_symlink("e.jsonl", directory / "link");
    add_sink("a", "link");
    add_sink("b", "e.jsonl");
    CHECK(is_shared());
}

TEST_CASE_METHOD(fixture, "a hard link is the same file", "[service]") {
    std::ofstream{directory / "e.jsonl"} << "";
    fs::create_hard_link(directory / "e.jsonl", directory / "f.jsonl");
    add_sink("a", "e.jsonl");
    add_sink("b", "f.jsonl");
    CHECK(is_shared());
}

TEST_CASE_METHOD(fixture, "two databases are one problem, not three", "[service]") {
    fs::create_directory_symlink(".", directory / "here");
    add_sink("a", "e.db");
    add_sink("b", "here/e.db");
    CHECK(is_shared());
}

TEST_CASE_METHOD(fixture, "a database's log belongs to it", "[service]") {
    add_sink("a", "e.db");
    add_sink("b", "e.db-wal");
    CHECK(is_shared());
}

TEST_CASE_METHOD(fixture, "the log is no sink's file", "[service]") {
    add_sink("a", "e.jsonl");
    settings.log.file = (directory / "e.jsonl").string();
    CHECK(is_shared());
}

TEST_CASE_METHOD(fixture, "a socket is no sink's file, and no other listener's", "[service]") {
    add_sink("a", "socket");
    settings.http.listen = {"unix:" + (directory / "socket").string()};
    CHECK(is_shared());
    settings.sinks.clear();
    fs::create_directory_symlink(".", directory / "here");
    settings.admin.listen = {"unix:" + (directory / "here/socket").string()};
    CHECK(is_shared());
}

TEST_CASE_METHOD(fixture, "a file is not where another one needs a directory", "[service]") {
    add_sink("a", "e");
    add_sink("b", "e/f.jsonl");
    CHECK(is_shared());
    settings.sinks.clear();
    settings.log.file = settings.data_dir;
    CHECK_FALSE(find_shared_files(settings).empty());
}

TEST_CASE_METHOD(
    fixture, "the directories of the journal and of dead letters are trackd's own", "[service]"
) {
    add_sink("a", "data/journal/e.jsonl");
    CHECK(is_shared());
    settings.sinks.clear();
    add_sink("a", "data/dead-letters/a.jsonl");
    CHECK(is_shared());
}
