#include "service/key_commands.hpp"

#include "base/base64.hpp"
#include "base/sha256.hpp"
#include "config/key_rules.hpp"
#include "config/load.hpp"
#include "config/overlay.hpp"
#include "config/write.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <ostream>
#include <stdexcept>
#include <sys/random.h>
#include <system_error>

namespace trackd::service {

namespace {

using secret = std::array<unsigned char, 32>;

secret random_bytes() {
    secret bytes;
    // So few bytes come whole or not at all; what a signal may interrupt is the wait for a machine that just started.
    while (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
        if (errno != EINTR) throw std::system_error{errno, std::generic_category(), "no random bytes"};
    }
    return bytes;
}

/// RFC 4648 section 5, without padding: goes into URLs, headers and shells as it is.
std::string base64_url(const secret& bytes) {
    std::string text;
    base::append_base64(text, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    std::erase(text, '=');
    return text;
}

std::string hash_of(std::string_view key) {
    return base::to_hex(base::sha256(key));
}

std::string key_for_client(const std::string& key) {
    return "The key, for the client. It is shown this once, and stored nowhere:\n\n    " + key + "\n\n";
}

const config::key_settings& key_named(std::string_view name, const config::settings& settings) {
    std::string names;
    for (const auto& key : settings.keys) {
        if (config::same_name(key.name, name)) return key;
        names += (names.empty() ? "" : ", ") + key.name;
    }
    throw std::runtime_error{
        "no key is named " + std::string{name} + "; there is " + (names.empty() ? "none" : names)
    };
}

} // namespace

std::string make_key() {
    return "trk_" + base64_url(random_bytes());
}

std::string new_key_text(std::string_view name) {
    const auto key = make_key();
    auto text = key_for_client(key) + "For the configuration, then `trackd reload`:\n\n[[keys]]\nname = \"";
    text.append(name).append("\"\nsha256 = \"").append(hash_of(key)).append("\"\n");
    return text;
}

std::string rotated_key_text(std::string_view name, const config::settings& settings) {
    const auto& old = key_named(name, settings);
    if (old.sha256.size() >= config::max_key_hashes) {
        throw std::runtime_error{
            "the key " + old.name + " has " + std::to_string(old.sha256.size()) +
            " hashes, expected room for one more: remove one that `trackd status` shows as unused"
        };
    }
    const auto key = make_key();
    auto hashes = old.sha256;
    hashes.push_back(hash_of(key));
    return key_for_client(key) + "For the key " + old.name +
           " in the configuration, instead of its sha256, then `trackd reload`:\n\nsha256 = " +
           config::literal(&hashes, config::form::sha256) + "\n";
}

int run_key_command(const key_line& line, const config::sources& sources, std::ostream& out) {
    out
        << (line.what == key_command::rotate ? rotated_key_text(line.name, config::load(sources))
                                             : new_key_text(line.name));
    if (!out.flush()) throw std::runtime_error{"standard output cannot be written to"};
    return 0;
}

} // namespace trackd::service
