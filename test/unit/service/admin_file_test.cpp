// What the daemon leaves in its data directory, and how a command reads it.
#include "service/admin_file.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

using namespace trackd;
using service::admin_access;
using service::admin_file;
using service::read_admin_file;

namespace fs = std::filesystem;

namespace {

const admin_access access_of_all{
    42, {"127.0.0.1:41235", "unix:/run/tr\"ackd.sock"}, "/etc/certificate.pem", "0123456789abcdef"
};

struct fixture {
    test::temporary_directory directory;
    std::string data_dir = directory.path().string();
    fs::path path = directory / "admin.json";

    void put(const std::string& text) const { std::ofstream{path} << text; }
};

} // namespace

TEST_CASE("what is written is read back", "[service][admin_file]") {
    CHECK(service::parse_admin_access(service::to_json(access_of_all)) == access_of_all);
    const admin_access plain{1, {"[::]:1"}, {}, {}};
    CHECK(service::parse_admin_access(service::to_json(plain)) == plain);
    for (const auto* text :
         {"", "{", "{}", "[]", "null", R"({"process":1,"listen":[],"certificate":"","token":""})",
          R"({"process":"x","listen":["a"],"certificate":"","token":""})",
          R"({"process":1,"listen":[1],"certificate":"","token":""})"}) {
        CAPTURE(text);
        CHECK_FALSE(service::parse_admin_access(text));
    }
}

TEST_CASE_METHOD(fixture, "the file is there for its owner while the daemon runs", "[service][admin_file]") {
    CHECK_FALSE(read_admin_file(data_dir).access);
    CHECK(read_admin_file(data_dir).problem.empty());
    CHECK(read_admin_file(data_dir + "/none").problem.empty());
    {
        admin_file file{data_dir};
        file.write({1, {"127.0.0.1:1"}, {}, {}});
        file.write(access_of_all);
        CHECK(read_admin_file(data_dir).access == access_of_all);
        struct stat info{};
        REQUIRE(::stat(path.c_str(), &info) == 0);
        CHECK((info.st_mode & 07777U) == 0600);
        file.remove();
        CHECK_FALSE(fs::exists(path));
        file.write(access_of_all);
    }
    CHECK(fs::is_empty(directory.path()));
}

TEST_CASE_METHOD(fixture, "a file that nobody holds is stale", "[service][admin_file]") {
    put(service::to_json(access_of_all));
    const auto found = read_admin_file(data_dir);
    CHECK_FALSE(found.access);
    CHECK(found.problem == path.string() + " is stale: process 42, which wrote it, has ended");
    admin_file next{data_dir};
    next.write({7, {"127.0.0.1:7"}, {}, {}});
    CHECK(read_admin_file(data_dir).access->process == 7);
}

TEST_CASE_METHOD(fixture, "the file of the next daemon stays", "[service][admin_file]") {
    std::optional<admin_file> first{data_dir};
    first->write(access_of_all);
    admin_file second{data_dir};
    second.write({7, {"127.0.0.1:7"}, {}, {}});
    first.reset();
    CHECK(read_admin_file(data_dir).access->process == 7);
}

TEST_CASE_METHOD(fixture, "a write that fails leaves no file", "[service][admin_file]") {
    put(service::to_json(access_of_all));
    fs::create_directories(directory / "admin.json.new" / "full");
    admin_file file{data_dir};
    CHECK_THROWS(file.write(access_of_all));
    CHECK_FALSE(fs::exists(path));
}

TEST_CASE_METHOD(fixture, "what is no such file is a problem that is named", "[service][admin_file]") {
    put("nonsense");
    CHECK(
        read_admin_file(data_dir).problem ==
        path.string() + " cannot be read: it has not what a daemon writes there"
    );
    put(std::string(1'000'000, ' '));
    CHECK_FALSE(read_admin_file(data_dir).access);
    fs::remove(path);
    fs::create_directory(path);
    CHECK(read_admin_file(data_dir).problem == path.string() + " is no regular file");
    fs::remove(path);
    fs::create_symlink("/dev/zero", path);
    CHECK_FALSE(read_admin_file(data_dir).problem.empty());
    fs::remove(path);
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    CHECK(read_admin_file(data_dir).problem == path.string() + " is no regular file");
}

TEST_CASE("secrets differ", "[service][admin_file]") {
    CHECK(service::make_admin_secret().size() == 64);
    CHECK(service::make_admin_secret() != service::make_admin_secret());
}
