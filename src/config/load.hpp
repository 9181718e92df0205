// The way into this folder: from a file, the environment and the command line to checked settings, and back
// to text.
#pragma once

#include "config/settings.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace trackd::config {

/// What is wrong with a configuration: everything that can be said in one go.
class error : public std::runtime_error {
public:
    /// @param lines at least one, in the order of their places, each `FILE:LINE:COLUMN: …`, `--set KEY: …` or
    ///              `TRACKD_KEY: …`, without a newline
    explicit error(std::vector<std::string> lines);

    [[nodiscard]] const std::vector<std::string>& lines() const noexcept { return lines_; }

private:
    std::vector<std::string> lines_;
};

/// Where settings come from. Later members beat earlier ones, and all beat the defaults.
struct sources {
    /// The TOML file, if any; it must then exist.
    std::optional<std::string> file;

    /// Names and values of the process's environment. `TRACKD_HTTP__LISTEN` is `http.listen`; what does not
    /// begin with `TRACKD_`, or has no `__` and is no top-level key, is left alone. It also feeds `${VAR}`.
    std::vector<std::pair<std::string, std::string>> environment;

    /// What `--set` was given, each `KEY=VALUE`; the last one wins.
    std::vector<std::string> set;
};

/// Reads, merges and checks. Opens nothing but the file and what `${file:…}` names.
/// @throws error if anything is unknown, of the wrong type or impossible
[[nodiscard]] settings load(const sources& from);

/// Whether the hashes of keys are written, by which a key can be recognised, but not found.
enum class key_hashes { shown, masked };

/// The settings as TOML that `load` reads back to the same, but for secrets, which are masked.
[[nodiscard]] std::string to_toml(const settings& from, key_hashes hashes = key_hashes::shown);

} // namespace trackd::config
