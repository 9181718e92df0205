#include "backlog/directory_lock.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

using namespace trackd;
using journal::directory_lock;

namespace {

std::string text_of(const std::filesystem::path& path) {
    std::ifstream in{path};
    return {std::istreambuf_iterator<char>{in}, {}};
}

void write_text(const std::filesystem::path& path, const std::string& text) {
    std::ofstream{path} << text;
}

std::string refusal(const std::filesystem::path& directory) {
    try {
        const directory_lock lock{directory};
    } catch (const std::runtime_error& error) {
        return error.what();
    }
    return {};
}

// A process that holds the lock until it is killed.
class holder {
public:
    explicit holder(const std::filesystem::path& directory) {
        int ready[2];
        REQUIRE(::pipe(ready) == 0);
        process_ = ::fork();
        REQUIRE(process_ != -1);
        if (process_ == 0) hold(directory, ready[1]);
        char held = 'n';
        ::close(ready[1]);
        CHECK(::read(ready[0], &held, 1) == 1);
        ::close(ready[0]);
        CHECK(held == 'y');
    }

    ~holder() { kill(); }

    holder(const holder&) = delete;
    holder& operator=(const holder&) = delete;

    void kill() {
        if (process_ <= 0) return;
        ::kill(process_, SIGKILL);
        ::waitpid(process_, nullptr, 0);
        process_ = 0;
    }

    [[nodiscard]] pid_t process() const { return process_; }

private:
    [[noreturn]] static void hold(const std::filesystem::path& directory, int ready) {
        char held = 'y';
        std::optional<directory_lock> lock;
        try {
            lock.emplace(directory);
        } catch (const std::exception&) {
            held = 'n';
        }
        if (::write(ready, &held, 1) != 1) ::_exit(1);
        for (;;)
            ::pause();
    }

    pid_t process_ = 0;
};

} // namespace

TEST_CASE("a journal's directory is held by one at a time", "[backlog][lock]") {
    const test::temporary_directory directory;
    auto first = std::make_unique<directory_lock>(directory.path());
    CHECK_FALSE(refusal(directory.path()).empty());
    first.reset();
    CHECK(refusal(directory.path()).empty());
}

TEST_CASE("who is refused learns which process holds the journal", "[backlog][lock]") {
    const test::temporary_directory directory;
    const holder other{directory.path()};
    auto name = text_of("/proc/self/comm");
    name.pop_back();
    CHECK(
        refusal(directory.path()) == "journal " + directory.path().string() + ": is in use by process " +
                                         std::to_string(other.process()) + " (" + name +
                                         "); stop it first, or give this one another data_dir"
    );
}

TEST_CASE("a process that was killed holds nothing", "[backlog][lock]") {
    const test::temporary_directory directory;
    holder other{directory.path()};
    other.kill();
    CHECK(refusal(directory.path()).empty());
}

TEST_CASE("the lock names its process however long the number before was", "[backlog][lock]") {
    const test::temporary_directory directory;
    write_text(directory / "lock", "12345678901234567\n");
    const directory_lock lock{directory.path()};
    CHECK(text_of(directory / "lock") == std::to_string(::getpid()) + '\n');
}

TEST_CASE("a lock whose holder has not written its number is still refused", "[backlog][lock]") {
    const test::temporary_directory directory;
    const directory_lock lock{directory.path()};
    const auto written = GENERATE("", "not a number", "-1");
    write_text(directory / "lock", written);
    CHECK(
        refusal(directory.path()) == "journal " + directory.path().string() +
                                         ": is in use by another process; stop it first, or give this one "
                                         "another data_dir"
    );
}

TEST_CASE("a number that is no process any more is given without a name", "[backlog][lock]") {
    const test::temporary_directory directory;
    const directory_lock lock{directory.path()};
    write_text(directory / "lock", "2147483647\n"); // more than the kernel gives
    CHECK(refusal(directory.path()).find("in use by process 2147483647; stop") != std::string::npos);
}

TEST_CASE("the lock is its owner's alone and leaves nothing open behind", "[backlog][lock]") {
    const test::temporary_directory directory;
    {
        const directory_lock lock{directory.path()};
    }
    struct stat known{};
    REQUIRE(::stat((directory / "lock").c_str(), &known) == 0);
    CHECK((known.st_mode & 0777U) == 0600U);
}

TEST_CASE("a directory that is not there cannot be locked", "[backlog][lock]") {
    const test::temporary_directory directory;
    CHECK(
        refusal(directory / "none") ==
        (directory / "none/lock").string() + ": open: No such file or directory"
    );
}
