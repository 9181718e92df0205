// What the user typed.
#pragma once

#include "config/load.hpp"

#include <trackd/sink_control.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace trackd::service {

/// What is read where no configuration is named, if it exists.
inline constexpr auto installed_configuration = "/etc/trackd/trackd.toml";

enum class command {
    serve,
    check,
    config,
    healthcheck,
    status,
    reload,
    tail,
    journal,
    dead_letters,
    sink,
    key
};

enum class journal_command { list, verify, cat, forget };

/// What follows `trackd journal`.
struct journal_line {
    journal_command what = journal_command::list;
    std::uint64_t from = 1; ///< `cat --from POSITION`
    bool json = false;      ///< `cat --json`
    std::string sink;       ///< `forget SINK`
};

enum class dead_letter_command { list, show, retry, drop };

/// What follows `trackd dead-letters`.
struct dead_letter_line {
    dead_letter_command what = dead_letter_command::list;
    std::string sink;
    std::vector<std::string> ids; ///< of events
    bool all = false;
};

enum class key_command { create, rotate };

/// What follows `trackd key`.
struct key_line {
    key_command what = key_command::create;
    std::string name;
};

/// What follows `trackd sink`.
struct sink_line {
    sink_action what = sink_action::pause;
    std::string sink; ///< its name
};

/// What follows `trackd tail`: as the query of `/events/tail` has it.
struct tail_line {
    std::string types;
    std::string sources;
    std::string keys;
    std::string rate;
    bool json = false;
};

struct command_line {
    trackd::service::command what = command::serve;
    config::sources sources; ///< of the configuration; the environment is filled in
    std::string admin;       ///< `--admin`; empty: not given
    std::string token_file;  ///< `--token-file`; empty: not given
    bool ready = false;      ///< `healthcheck --ready`
    bool json = false;       ///< `status --json`
    journal_line journal;
    dead_letter_line dead_letters;
    key_line key;
    sink_line sink;
    tail_line tail;
};

/// Whether the command asks a running daemon, or does so where there is one.
[[nodiscard]] bool asks_daemon(const command_line& line) noexcept;

/// Reads the command line. Where it asks for help or the version, or is wrong, says so on standard output or
/// error.
/// @return nothing when there is nothing more to do: then `exit_status` is set to 0 or 2
[[nodiscard]] std::optional<command_line>
read_command_line(int argc, char** argv, char** environment, int& exit_status);

} // namespace trackd::service
