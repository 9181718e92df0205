// The file `admin.json` of the data directory: where the daemon that runs there listens for trackd's own commands.
#pragma once

#include "base/descriptor.hpp"
#include "config/settings.hpp"
#include "http/listener.hpp"

#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace trackd::service {

/// What a command needs to ask the daemon.
struct admin_access {
    std::int64_t process = 0;
    std::vector<std::string> listen; ///< as they are bound: `127.0.0.1:41235`, `unix:/path`
    std::string certificate;         ///< absolute path of `admin.tls.certificate`; empty: no TLS
    std::string
        token; ///< a secret of this process, which the admin listener takes for `admin.token`; empty: none is needed

    bool operator==(const admin_access&) const = default;
};

/// `DATA_DIR/admin.json`, absolute.
[[nodiscard]] std::filesystem::path admin_file_path(const std::string& data_dir);

/// 256 random bits, in hexadecimal digits.
[[nodiscard]] std::string make_admin_secret();

/// Of this process. Has the secret where `admin.token` is set.
[[nodiscard]] admin_access make_admin_access(
    const config::admin_settings& settings, const std::deque<http::listener>& listeners, std::string secret
);

[[nodiscard]] std::string to_json(const admin_access& access);

/// @return nothing if the text is something else
[[nodiscard]] std::optional<admin_access> parse_admin_access(std::string_view text);

/// The daemon's side. The file is for its owner alone, and locked for as long as the process lives: a file that has
/// survived its daemon is known by that.
class admin_file {
public:
    explicit admin_file(const std::string& data_dir) : path_{admin_file_path(data_dir)} {}

    admin_file(const admin_file&) = delete;
    admin_file& operator=(const admin_file&) = delete;

    ~admin_file() { remove(); }

    /// Replaces the file at once.
    /// @throws std::system_error naming the file; then there is none, not the one of an earlier daemon either
    void write(const admin_access& access);

    /// A file that another daemon has put in its place stays.
    void remove() noexcept;

private:
    void replace(const std::string& text);

    std::filesystem::path path_;
    std::optional<base::descriptor> locked_; // the file, if it is there
};

/// What a command finds.
struct found_admin_file {
    std::optional<admin_access> access; ///< of a daemon that runs
    std::string problem;                ///< why there is none, with the file's name; empty: there is no file
};

[[nodiscard]] found_admin_file read_admin_file(const std::string& data_dir);

} // namespace trackd::service
