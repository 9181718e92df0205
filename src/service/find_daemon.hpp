// Where a command asks the running daemon, and with what token.
#pragma once

#include "config/lenient.hpp"
#include "config/load.hpp"
#include "service/admin_file.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace trackd::service {

/// There is no answer; the text says where it was expected, and why there is none.
class no_daemon : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// What the operator says of the daemon that is meant.
struct daemon_query {
    config::sources sources; ///< of its configuration, which may have errors
    std::string admin;       ///< `--admin`; empty: not given
    std::string token_file;  ///< `--token-file`; empty: not given
};

/// How to ask one daemon.
struct daemon_contact {
    std::string address;            ///< `127.0.0.1:8081`, `trackd.example:8081` or `unix:/path`
    std::string source;             ///< what the address is from: `admin.listen`, `--admin` or a file
    std::string certificate;        ///< the file of the daemon's certificate; empty: no TLS
    std::string token;              ///< empty: none
    bool runs = false;              ///< the daemon has left the address, and holds its file
    std::vector<std::string> notes; ///< why the address is from no better source
};

/// The text, followed by the notes.
[[nodiscard]] std::string with_notes(std::string text, const std::vector<std::string>& notes);

/// An address as `--admin` takes it.
struct admin_option {
    std::string address;
    std::optional<bool> tls; ///< as its scheme says, if it has one
};

/// Reads `HOST:PORT`, `http://HOST:PORT`, `https://HOST:PORT` or `unix:/PATH`.
/// @throws std::invalid_argument saying what was expected
[[nodiscard]] admin_option parse_admin_option(std::string_view text);

/// Chooses between what the command line says, what the daemon has left and the configuration, in this order, separately for
/// the address, the certificate and the token. What the daemon has left counts for its own addresses alone.
/// @param typed_token the content of `--token-file`; empty: not given
/// @throws no_daemon if no address is known
[[nodiscard]] daemon_contact choose_contact(
    const std::optional<admin_option>& typed, const std::string& typed_token,
    const config::daemon_location& configured, const found_admin_file& left
);

/// Reads what is needed for that.
/// @throws no_daemon if no address is known
/// @throws config::error if `--set` has errors
/// @throws std::exception for any other error of the command line
[[nodiscard]] daemon_contact find_daemon(const daemon_query& query);

} // namespace trackd::service
