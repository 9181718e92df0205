#include "service/admin_file.hpp"

#include "base/json_text.hpp"
#include "base/sha256.hpp"
#include "sinks/file_calls.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>

#include <array>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace trackd::service {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

constexpr std::size_t largest_file = 64 * 1024;

[[noreturn]] void fail(const fs::path& path, const char* operation) {
    throw std::system_error{errno, std::generic_category(), std::string{operation} + ' ' + path.string()};
}

struct flock whole_file(short type) {
    struct flock lock{};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    return lock;
}

bool is_same_file(const base::descriptor& file, const fs::path& path) noexcept {
    struct stat ours{};
    struct stat there{};
    return ::fstat(file.get(), &ours) == 0 && ::lstat(path.c_str(), &there) == 0 &&
           ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

/// @return what is wrong with its owner; root trusts the owner of the data directory
std::string owner_error(const struct stat& file) {
    const auto user = ::geteuid();
    if (!S_ISREG(file.st_mode)) return "is no regular file";
    if (user == 0 || file.st_uid == user || file.st_uid == 0) return {};
    return "belongs to another user, and is not trusted";
}

std::string read_all(const base::descriptor& file) {
    std::string text;
    std::array<char, 4096> piece{};
    for (;;) {
        const auto got = ::read(file.get(), piece.data(), piece.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0 || text.size() > largest_file) return text;
        text.append(piece.data(), static_cast<std::size_t>(got));
    }
}

/// Whether the daemon that wrote it still runs. Where files cannot be locked, it is taken to run.
bool is_locked(const base::descriptor& file) {
    auto lock = whole_file(F_RDLCK);
    return ::fcntl(file.get(), F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

found_admin_file problem(const fs::path& path, const std::string& text) {
    return {{}, path.string() + ' ' + text};
}

std::string open_error(int error) {
    std::string text = "cannot be read: " + std::generic_category().message(error);
    if (error == EACCES) text += "; it is for the user that the daemon runs as";
    return text;
}

} // namespace

fs::path admin_file_path(const std::string& data_dir) {
    return fs::absolute(data_dir) / "admin.json";
}

std::string make_admin_secret() {
    base::sha256_digest bytes{};
    while (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
        if (errno != EINTR) throw std::system_error{errno, std::generic_category(), "no random bytes"};
    }
    return base::to_hex(bytes);
}

admin_access make_admin_access(
    const config::admin_settings& settings, const std::deque<http::listener>& listeners, std::string secret
) {
    admin_access access;
    access.process = ::getpid();
    for (const auto& listener : listeners)
        access.listen.push_back(listener.name());
    if (!settings.tls.certificate.empty())
        access.certificate = fs::absolute(settings.tls.certificate).string();
    if (!settings.token.empty()) access.token = std::move(secret);
    return access;
}

std::string to_json(const admin_access& access) {
    std::string text = R"({"process":)" + std::to_string(access.process) + R"(,"listen":[)";
    for (const auto& address : access.listen) {
        if (text.back() != '[') text += ',';
        base::append_json_string(text, address);
    }
    text += R"(],"certificate":)";
    base::append_json_string(text, access.certificate);
    text += R"(,"token":)";
    base::append_json_string(text, access.token);
    return text + "}\n";
}

std::optional<admin_access> parse_admin_access(std::string_view text) {
    try {
        const auto all = json::parse({text.data(), text.size()});
        admin_access access;
        access.process = all.at("process").to_number<std::int64_t>();
        for (const auto& address : all.at("listen").as_array())
            access.listen.push_back(json::value_to<std::string>(address));
        access.certificate = json::value_to<std::string>(all.at("certificate"));
        access.token = json::value_to<std::string>(all.at("token"));
        if (access.listen.empty()) return {};
        return access;
    } catch (const std::exception&) {
        return {};
    }
}

void admin_file::write(const admin_access& access) {
    try {
        replace(to_json(access));
    } catch (const std::exception&) {
        locked_.reset();
        ::unlink(path_.c_str()); // only one daemon runs in a data directory
        throw;
    }
}

void admin_file::replace(const std::string& text) {
    auto draft = path_;
    draft += ".new";
    ::unlink(draft.c_str()); // of a daemon that was killed while it wrote
    base::descriptor file{
        ::open(draft.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR)
    };
    if (!file) fail(draft, "open");
    auto lock = whole_file(F_WRLCK);
    if (::fcntl(file.get(), F_OFD_SETLK, &lock) != 0) fail(draft, "lock");
    sinks::write_out(file.get(), text, draft);
    if (::rename(draft.c_str(), path_.c_str()) != 0) fail(path_, "rename to");
    locked_.emplace(std::move(file));
}

void admin_file::remove() noexcept {
    if (locked_ && is_same_file(*locked_, path_)) ::unlink(path_.c_str());
    locked_.reset();
}

found_admin_file read_admin_file(const std::string& data_dir) {
    const auto path = admin_file_path(data_dir);
    const base::descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)};
    if (!file)
        return errno == ENOENT || errno == ENOTDIR ? found_admin_file{} : problem(path, open_error(errno));
    struct stat info{};
    if (::fstat(file.get(), &info) != 0) return problem(path, open_error(errno));
    if (const auto wrong = owner_error(info); !wrong.empty()) return problem(path, wrong);
    auto access = parse_admin_access(read_all(file));
    if (!access) return problem(path, "cannot be read: it has not what a daemon writes there");
    if (is_locked(file)) return {std::move(access), {}};
    return problem(
        path, "is stale: process " + std::to_string(access->process) + ", which wrote it, has ended"
    );
}

} // namespace trackd::service
