// See listening_socket.hpp.
#include "http/listening_socket.hpp"

#include "base/file_access.hpp"
#include "base/listen_address.hpp"

#include <boost/asio/ip/address.hpp>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <poll.h>
#include <sstream>
#include <stdexcept>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace trackd::http {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {

constexpr int backlog = 4096;
constexpr ::mode_t file_mode = 0660;
constexpr auto no_socket =
    "this file exists and is no socket; expected no file, or a socket that is not used";

std::optional<asio::ip::address> parse_host(std::string_view text) {
    auto host = base::numeric_host(text);
    if (!host) return {};
    if (host->front() == '[') host = host->substr(1, host->size() - 2);
    return asio::ip::make_address(*host);
}

[[noreturn]] void fail(int error) {
    throw std::system_error(error, std::generic_category());
}

void check(int result) {
    if (result != 0) fail(errno);
}

void set_option(const native_socket& socket, int level, int name, int value) {
    check(::setsockopt(socket.get(), level, name, &value, sizeof value));
}

native_socket open_socket(int family) {
    const int descriptor = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) fail(errno);
    return native_socket(descriptor);
}

native_socket bound_to(const listen_address& where) {
    auto socket = open_socket(where.endpoint.protocol().family());
    set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1);
    set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1); // on Linux what it accepts inherits this
    if (where.endpoint.address().is_v6())
        set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, where.all_interfaces ? 0 : 1);
    check(::bind(socket.get(), where.endpoint.data(), static_cast<socklen_t>(where.endpoint.size())));
    return socket;
}

// Where the kernel has no IPv6, all interfaces are those of IPv4.
native_socket bound_somewhere(const listen_address& where) {
    try {
        return bound_to(where);
    } catch (const std::system_error& error) {
        const bool no_ipv6 = error.code() == std::errc::address_family_not_supported ||
                             error.code() == std::errc::address_not_available;
        if (!where.all_interfaces || !no_ipv6) throw;
        return bound_to({{tcp::v4(), where.endpoint.port()}, false, {}});
    }
}

std::string text(const tcp::endpoint& at) {
    std::ostringstream out;
    out << at;
    return out.str();
}

tcp::endpoint endpoint_of(const native_socket& socket) {
    tcp::endpoint local;
    auto size = static_cast<socklen_t>(local.capacity());
    check(::getsockname(socket.get(), local.data(), &size));
    local.resize(size);
    return local;
}

listening_socket listen_on_tcp(const listen_address& where) {
    auto socket = bound_somewhere(where);
    check(::listen(socket.get(), backlog));
    const auto local = endpoint_of(socket);
    return {std::move(socket), text(local), local, {}, false};
}

sockaddr_un address_of(const std::string& path) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path, path.data(), path.size());
    return at;
}

// The casts that the socket functions want.
int bind_to(const native_socket& socket, const sockaddr_un& at) {
    return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at);
}

int connect_to(const native_socket& socket, const sockaddr_un& at) {
    return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at);
}

// Keeps others out who are about to make or replace a socket file in this directory: one that is bound, but not listened
// on yet, looks as if it had been left behind. The kernel ends the lock with the process, and nothing stays in the
// directory.
class directory_lock {
public:
    explicit directory_lock(const std::string& directory)
        : descriptor_(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
        if (descriptor_ < 0) fail(errno);
        for (int tries = 0; ::flock(descriptor_, LOCK_EX | LOCK_NB) != 0; ++tries) {
            const int error = errno;
            if (error == EWOULDBLOCK && tries < most_tries) {
                ::poll(nullptr, 0, wait_ms); // at the start, when nothing runs that it could hold up
                continue;
            }
            ::close(descriptor_);
            if (error != EWOULDBLOCK) fail(error);
            throw std::runtime_error("another process holds the lock (flock) of " + directory);
        }
    }

    ~directory_lock() { ::close(descriptor_); }

    directory_lock(const directory_lock&) = delete;
    directory_lock& operator=(const directory_lock&) = delete;

private:
    // Others need it for less than a millisecond.
    static constexpr int most_tries = 200;
    static constexpr int wait_ms = 10;

    int descriptor_;
};

// The file exists: it is removed if it is a socket behind which nobody listens.
void remove_stale(const std::string& path) {
    struct stat found{};
    check(::lstat(path.c_str(), &found));
    if (!S_ISSOCK(found.st_mode)) throw std::runtime_error(no_socket);
    const auto probe = open_socket(AF_UNIX);
    if (connect_to(probe, address_of(path)) == 0 || errno == EAGAIN) fail(EADDRINUSE);
    if (errno != ECONNREFUSED) fail(errno);
    check(::unlink(path.c_str()));
}

listening_socket listen_on_file(const std::string& path) {
    auto socket = open_socket(AF_UNIX);
    const auto at = address_of(path);
    const directory_lock until_it_listens(path.substr(0, path.rfind('/') + 1));
    if (bind_to(socket, at) != 0) {
        if (errno != EADDRINUSE) fail(errno);
        remove_stale(path);
        check(bind_to(socket, at));
    }
    socket_file file(path);
    check(::chmod(path.c_str(), file_mode)); // before anybody can connect
    check(::listen(socket.get(), backlog));
    return {std::move(socket), std::string{base::socket_file_prefix} + path, {}, std::move(file), false};
}

void check_tcp(const listen_address& where) {
    try {
        static_cast<void>(bound_somewhere(where));
    } catch (const std::system_error& error) {
        if (error.code() != std::errc::address_in_use) throw;
    }
}

void check_socket_file(const std::string& path) {
    struct stat found{};
    if (::lstat(path.c_str(), &found) != 0)
        static_cast<void>(base::exists_or_can_be_made(path, base::missing_directories::refused));
    else if (!S_ISSOCK(found.st_mode))
        throw std::runtime_error(no_socket);
    const auto directory = path.substr(0, path.rfind('/') + 1);
    check(::faccessat(AT_FDCWD, directory.c_str(), R_OK | W_OK | X_OK, AT_EACCESS));
}

int option_of(const native_socket& socket, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    return ::getsockopt(socket.get(), SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

std::string unix_name(const native_socket& socket) {
    sockaddr_un at{};
    socklen_t size = sizeof at;
    check(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&at), &size));
    return std::string{base::socket_file_prefix} +
           std::string{at.sun_path, ::strnlen(at.sun_path, sizeof at.sun_path)};
}

// Names the address in what the work throws.
template <class Work>
auto with_address(std::string_view address, Work work) {
    const auto where = parse_listen(address);
    const auto name = "cannot listen on " + std::string{address} + ": ";
    try {
        return work(where);
    } catch (const std::system_error& error) {
        throw std::runtime_error(name + error.code().message());
    } catch (const std::runtime_error& error) {
        throw std::runtime_error(name + error.what());
    }
}

} // namespace

listen_address parse_listen(std::string_view text) {
    if (text.starts_with(base::socket_file_prefix)) {
        const auto path = text.substr(base::socket_file_prefix.size());
        if (base::is_socket_path(path)) return {{}, false, std::string{path}};
        throw std::invalid_argument(
            "expected unix:/PATH with an absolute path of up to " +
            std::to_string(base::longest_socket_path) + " bytes"
        );
    }
    const auto colon = text.rfind(':');
    if (colon != std::string_view::npos) {
        const auto host = parse_host(text.substr(0, colon));
        const auto port = base::parse_port(text.substr(colon + 1));
        if (host && port) return {{*host, *port}, host->is_v6() && host->is_unspecified(), {}};
    }
    throw std::invalid_argument(
        "expected ADDRESS:PORT with a numeric address, such as \"127.0.0.1:8080\", \"[::1]:8080\", "
        "\"localhost:8080\" or, for all interfaces, \"*:8080\"; or a socket file, \"unix:/path\""
    );
}

socket_file::socket_file(std::string path) : path_(std::move(path)) {
    struct stat made{};
    check(::lstat(path_.c_str(), &made));
    device_ = made.st_dev;
    inode_ = made.st_ino;
}

socket_file::socket_file(socket_file&& other) noexcept
    : path_(std::exchange(other.path_, {})), device_(other.device_), inode_(other.inode_) {}

void socket_file::remove() noexcept {
    struct stat now{};
    if (!path_.empty() && ::lstat(path_.c_str(), &now) == 0 && now.st_dev == device_ && now.st_ino == inode_)
        ::unlink(path_.c_str());
    path_.clear();
}

listening_socket listen_on(std::string_view address) {
    return with_address(address, [](const listen_address& where) {
        return where.path.empty() ? listen_on_tcp(where) : listen_on_file(where.path);
    });
}

void check_listen_address(std::string_view address) {
    with_address(address, [](const listen_address& where) {
        if (where.path.empty())
            check_tcp(where);
        else
            check_socket_file(where.path);
    });
}

listening_socket describe_passed(native_socket descriptor) {
    const int family = option_of(descriptor, SO_DOMAIN);
    if (family < 0) throw std::runtime_error("is no socket; expected a listening one");
    if (option_of(descriptor, SO_TYPE) != SOCK_STREAM)
        throw std::runtime_error("is no stream socket; expected a listening one (ListenStream=)");
    if (option_of(descriptor, SO_ACCEPTCONN) != 1)
        throw std::runtime_error("does not listen; expected a listening socket (Accept=no)");
    if (family == AF_UNIX) {
        auto name = unix_name(descriptor);
        return {std::move(descriptor), std::move(name), {}, {}, true};
    }
    if (family != AF_INET && family != AF_INET6)
        throw std::runtime_error("is of another family; expected IPv4, IPv6 or Unix");
    set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
    const auto local = endpoint_of(descriptor);
    return {std::move(descriptor), text(local), local, {}, true};
}

} // namespace trackd::http
