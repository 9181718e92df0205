// A socket that listens, however it came to be: bound to a TCP address, bound to a file, or passed to this process.
#pragma once

#include "http/native_socket.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <string>
#include <string_view>
#include <sys/types.h>

namespace trackd::http {

/// Where to listen.
struct listen_address {
    boost::asio::ip::tcp::endpoint endpoint;
    bool all_interfaces = false; ///< `*` or `[::]`: IPv4, too; it alone where there is no IPv6
    std::string path;            ///< of a socket file; then the other two mean nothing
};

/// Reads `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080` (127.0.0.1), `*:8080` or `unix:/path`. Port 0 lets the
/// system choose.
/// @throws std::invalid_argument with one sentence saying what was expected
[[nodiscard]] listen_address parse_listen(std::string_view text);

/// Owns the name of a socket in the file system.
class socket_file {
public:
    socket_file() = default; ///< owns none

    /// The file as it is now.
    explicit socket_file(std::string path);

    socket_file(socket_file&& other) noexcept;
    socket_file& operator=(socket_file&&) = delete;

    ~socket_file() { remove(); }

    /// From here on nobody can connect through it. A file that somebody else has put in its place stays.
    void remove() noexcept;

private:
    std::string path_; // empty: none
    ::dev_t device_ = 0;
    ::ino_t inode_ = 0;
};

struct listening_socket {
    native_socket descriptor;
    std::string name;                        ///< `127.0.0.1:8080`, `[::1]:8080` or `unix:/path`
    boost::asio::ip::tcp::endpoint endpoint; ///< where it is a TCP socket, with its real port
    socket_file file;                        ///< where it was made by us, and has one
    bool passed = false; ///< somebody else holds it, too: what is queued is not ours alone
};

/// Binds and listens; from then on clients can connect, and wait until they are accepted. A socket file may be
/// used by its owner and group (mode 0660). One that a process left behind is replaced, one behind which somebody
/// listens is not.
/// @param address as `parse_listen` reads it
/// @throws std::invalid_argument from `parse_listen`
/// @throws std::runtime_error with one line naming the address and what is wrong with it
[[nodiscard]] listening_socket listen_on(std::string_view address);

/// Finds out whether `listen_on` can work, but for who else listens there now: binds and does not listen, and makes no file.
/// @throws as `listen_on`
void check_listen_address(std::string_view address);

/// Of a socket that listens already.
/// @throws std::runtime_error saying what the descriptor is, if it is no listening stream socket
[[nodiscard]] listening_socket describe_passed(native_socket descriptor);

} // namespace trackd::http
