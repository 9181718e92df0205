#include "backlog/file_system.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <functional>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <system_error>
#include <thread>
#include <unistd.h>

using namespace trackd;
using journal::open_mode;

namespace {

// Runs the work on a thread for which one system call always fails with this error.
void without_system_call(int number, int error, const std::function<void()>& work) {
    std::exception_ptr failure;
    std::jthread{[&] {
        const auto returned = SECCOMP_RET_ERRNO | (static_cast<unsigned>(error) & SECCOMP_RET_DATA);
        std::array<sock_filter, 4> program{{
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(number), 0, 1),
            BPF_STMT(BPF_RET | BPF_K, returned),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        }};
        const sock_fprog filter{program.size(), program.data()};
        try {
            if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
                ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
                throw std::runtime_error{"this system does not let a test have system calls fail"};
            work();
        } catch (...) {
            failure = std::current_exception();
        }
    }}.join();
    if (failure) std::rethrow_exception(failure);
}

struct failure {
    int error = 0;
    std::string text;
};

failure failure_of(const std::function<void()>& work) {
    try {
        work();
    } catch (const std::system_error& error) {
        return {error.code().value(), error.what()};
    }
    FAIL("nothing was thrown");
    return {};
}

std::string said(const std::filesystem::path& path, std::string_view operation, int error) {
    return path.string() + ": " + std::string{operation} + ": " + std::generic_category().message(error);
}

std::string all_of(journal::file& file) {
    std::string bytes(file.size(), '?');
    REQUIRE(journal::read_fully(file, 0, bytes) == bytes.size());
    return bytes;
}

struct fixture {
    test::temporary_directory directory;
    journal::file_system& files = journal::real_file_system();
};

} // namespace

TEST_CASE_METHOD(fixture, "what was written is read again", "[backlog][files]") {
    const auto file = files.open(directory / "a", open_mode::create);
    journal::write_fully(*file, 0, std::string_view{"hello"});
    journal::write_fully(*file, 8, std::string_view{"there"});
    file->sync();
    CHECK(file->size() == 13);
    const auto again = files.open(directory / "a", open_mode::read);
    CHECK(all_of(*again) == std::string{"hello\0\0\0there", 13});
}

TEST_CASE_METHOD(fixture, "reading stops at the end of the file", "[backlog][files]") {
    const auto file = files.open(directory / "a", open_mode::create);
    journal::write_fully(*file, 0, std::string_view{"hello"});
    std::array<char, 16> into{};
    CHECK(journal::read_fully(*file, 3, into) == 2);
    CHECK(std::string_view(into.data(), 2) == "lo");
    CHECK(file->read_at(5, into) == 0);
    CHECK(file->read_at(99, into) == 0);
}

TEST_CASE_METHOD(fixture, "files and directories belong to their owner alone", "[backlog][files]") {
    files.make_directory(directory / "inner");
    const auto file = files.open(directory / "inner/a", open_mode::create);
    struct stat known{};
    REQUIRE(::stat((directory / "inner").c_str(), &known) == 0);
    CHECK((known.st_mode & 0777U) == 0700U);
    REQUIRE(::stat((directory / "inner/a").c_str(), &known) == 0);
    CHECK((known.st_mode & 0777U) == 0600U);
}

TEST_CASE_METHOD(fixture, "no file is passed on to a program that is started", "[backlog][files]") {
    const auto free = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(free); // the number that comes next
    const auto mode = GENERATE(open_mode::create, open_mode::write, open_mode::read);
    if (mode != open_mode::create) (void)files.open(directory / "a", open_mode::create);
    const auto file = files.open(directory / "a", mode);
    CHECK((::fcntl(free, F_GETFD) & FD_CLOEXEC) == FD_CLOEXEC);
}

TEST_CASE_METHOD(fixture, "a file that is to be made must not exist, others must", "[backlog][files]") {
    const auto path = directory / "a";
    const auto missing = failure_of([&] { (void)files.open(path, open_mode::write); });
    CHECK(missing.error == ENOENT);
    CHECK(missing.text == said(path, "open", ENOENT));
    CHECK(failure_of([&] { (void)files.open(path, open_mode::read); }).error == ENOENT);
    (void)files.open(path, open_mode::create);
    const auto exists = failure_of([&] { (void)files.open(path, open_mode::create); });
    CHECK(exists.error == EEXIST);
    CHECK(exists.text == said(path, "create", EEXIST));
}

TEST_CASE_METHOD(fixture, "a file opened to be read is not written", "[backlog][files]") {
    (void)files.open(directory / "a", open_mode::create);
    const auto file = files.open(directory / "a", open_mode::read);
    const auto failed = failure_of([&] { journal::write_fully(*file, 0, std::string_view{"x"}); });
    CHECK(failed.text == said(directory / "a", "write", EBADF));
}

TEST_CASE_METHOD(fixture, "a reserved file takes room on the disk and reads as zeros", "[backlog][files]") {
    const auto file = files.open(directory / "a", open_mode::create);
    journal::write_fully(*file, 0, std::string_view{"hello"});
    file->reserve(100'000);
    CHECK(all_of(*file) == "hello" + std::string(99'995, '\0'));
    struct stat known{};
    REQUIRE(::stat((directory / "a").c_str(), &known) == 0);
    CHECK(known.st_blocks * 512 >= 100'000);
    file->reserve(10);
    CHECK(file->size() == 100'000);
    file->reserve(0);
    CHECK(file->size() == 100'000);
}

TEST_CASE_METHOD(fixture, "where nothing can be reserved zeros are written", "[backlog][files]") {
    const auto file = files.open(directory / "a", open_mode::create);
    journal::write_fully(*file, 0, std::string_view{"hello"});
    without_system_call(SYS_fallocate, EOPNOTSUPP, [&] {
        file->reserve(200'000);
        file->reserve(10);
    });
    CHECK(all_of(*file) == "hello" + std::string(199'995, '\0'));
    struct stat known{};
    REQUIRE(::stat((directory / "a").c_str(), &known) == 0);
    CHECK(known.st_blocks * 512 >= 200'000);
}

TEST_CASE_METHOD(fixture, "a disk without room to reserve says so", "[backlog][files]") {
    const auto file = files.open(directory / "a", open_mode::create);
    without_system_call(SYS_fallocate, ENOSPC, [&] {
        const auto failed = failure_of([&] { file->reserve(4096); });
        CHECK(failed.error == ENOSPC);
        CHECK(failed.text == said(directory / "a", "fallocate", ENOSPC));
    });
    CHECK(file->size() == 0);
}

TEST_CASE_METHOD(fixture, "a sync that failed says so and is not tried again", "[backlog][files]") {
    const auto error = GENERATE(EIO, ENOSPC, EDQUOT, EINTR); // after which a second one would prove nothing
    const auto file = files.open(directory / "a", open_mode::create);
    without_system_call(SYS_fdatasync, error, [&] {
        CHECK(failure_of([&] { file->sync(); }).text == said(directory / "a", "fdatasync", error));
    });
    without_system_call(SYS_fsync, error, [&] {
        const auto failed = failure_of([&] { files.sync_directory(directory.path()); });
        CHECK(failed.text == said(directory.path(), "fsync", error));
    });
}

TEST_CASE_METHOD(fixture, "syncing makes the calls that it promises", "[backlog][files]") {
    const auto file = files.open(directory / "a", open_mode::create);
    file->sync();
    files.sync_directory(directory.path());
    const auto missing = failure_of([&] { files.sync_directory(directory / "none"); });
    CHECK(missing.text == said(directory / "none", "open", ENOENT));
}

TEST_CASE_METHOD(fixture, "reading and writing name the file that failed", "[backlog][files]") {
    const auto file = files.open(directory / "a", open_mode::create);
    without_system_call(SYS_pwrite64, ENOSPC, [&] {
        const auto failed = failure_of([&] { journal::write_fully(*file, 0, std::string_view{"x"}); });
        CHECK(failed.error == ENOSPC);
        CHECK(failed.text == said(directory / "a", "write", ENOSPC));
    });
    without_system_call(SYS_pread64, EIO, [&] {
        std::array<char, 1> into{};
        const auto failed = failure_of([&] { (void)file->read_at(0, into); });
        CHECK(failed.text == said(directory / "a", "read", EIO));
    });
}

TEST_CASE_METHOD(fixture, "a file is cut off and made longer", "[backlog][files]") {
    const auto file = files.open(directory / "a", open_mode::create);
    journal::write_fully(*file, 0, std::string_view{"hello"});
    file->truncate(2);
    CHECK(all_of(*file) == "he");
    file->truncate(4);
    CHECK(all_of(*file) == std::string{"he\0\0", 4});
}

TEST_CASE_METHOD(fixture, "a rename replaces what is there", "[backlog][files]") {
    journal::write_fully(*files.open(directory / "a", open_mode::create), 0, std::string_view{"new"});
    journal::write_fully(*files.open(directory / "b", open_mode::create), 0, std::string_view{"old"});
    files.rename(directory / "a", directory / "b");
    CHECK(all_of(*files.open(directory / "b", open_mode::read)) == "new");
    CHECK(files.list(directory.path()) == std::vector<std::string>{"b"});
    const auto failed = failure_of([&] { files.rename(directory / "a", directory / "b"); });
    CHECK(failed.text == said(directory / "a", "rename to " + (directory / "b").string(), ENOENT));
}

TEST_CASE_METHOD(fixture, "only a file is removed", "[backlog][files]") {
    (void)files.open(directory / "a", open_mode::create);
    files.remove(directory / "a");
    CHECK(failure_of([&] { files.remove(directory / "a"); }).text == said(directory / "a", "remove", ENOENT));
    files.make_directory(directory / "empty");
    CHECK(failure_of([&] { files.remove(directory / "empty"); }).error == EISDIR);
}

TEST_CASE_METHOD(fixture, "a directory is made unless it exists", "[backlog][files]") {
    files.make_directory(directory / "inner");
    files.make_directory(directory / "inner");
    const auto deep = failure_of([&] { files.make_directory(directory / "no/inner"); });
    CHECK(deep.text == said(directory / "no/inner", "make directory", ENOENT));
    (void)files.open(directory / "a", open_mode::create);
    CHECK(failure_of([&] { files.make_directory(directory / "a"); }).error == EEXIST);
}

TEST_CASE_METHOD(fixture, "a list holds the regular files in order", "[backlog][files]") {
    for (const auto* name : {"b", "c", "a", ".hidden"})
        (void)files.open(directory / name, open_mode::create);
    files.make_directory(directory / "directory");
    REQUIRE(::mkfifo((directory / "pipe").c_str(), 0600) == 0);
    std::filesystem::create_symlink("b", directory / "link");
    CHECK(files.list(directory.path()) == std::vector<std::string>{".hidden", "a", "b", "c"});
    const auto missing = failure_of([&] { (void)files.list(directory / "none"); });
    CHECK(missing.text == said(directory / "none", "list", ENOENT));
}

TEST_CASE_METHOD(
    fixture, "the room on the disk is what an unprivileged process may use", "[backlog][files]"
) {
    const auto known = std::filesystem::space(directory.path());
    const auto free = files.free_bytes(directory.path());
    CHECK(free > 0);
    CHECK(free <= known.capacity);
    CHECK(failure_of([&] { (void)files.free_bytes(directory / "none"); }).error == ENOENT);
}

namespace {

// Takes three bytes at a time, and no more than `room` in all.
class small_file final : public journal::file {
public:
    explicit small_file(std::size_t room) : room_{room} {}

    std::size_t read_at(std::uint64_t offset, std::span<char> into) override {
        return content.copy(into.data(), std::min<std::size_t>(into.size(), 3), offset);
    }

    std::size_t write_at(std::uint64_t offset, std::span<const char> bytes) override {
        CHECK(offset == content.size());
        const auto taken = bytes.first(std::min({bytes.size(), std::size_t{3}, room_ - content.size()}));
        content.append(taken.begin(), taken.end());
        return taken.size();
    }

    void sync() override {}

    void truncate(std::uint64_t) override {}

    void reserve(std::uint64_t) override {}

    std::uint64_t size() override { return content.size(); }

    std::string content;

private:
    std::size_t room_;
};

} // namespace

TEST_CASE("writing goes on until all is written, and so does reading", "[backlog][files]") {
    small_file file{100};
    journal::write_fully(file, 0, std::string_view{"hello there"});
    CHECK(file.content == "hello there");
    std::array<char, 8> into{};
    CHECK(journal::read_fully(file, 0, into) == 8);
    CHECK(std::string_view(into.data(), 8) == "hello th");
}

TEST_CASE("a write that writes nothing means a full disk", "[backlog][files]") {
    small_file file{5};
    CHECK(failure_of([&] {
              journal::write_fully(file, 0, std::string_view{"hello there"});
          }).error == ENOSPC);
    CHECK(file.content == "hello");
}
