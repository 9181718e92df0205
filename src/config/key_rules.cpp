#include "config/key_rules.hpp"

#include "base/ascii.hpp"
#include "config/overlay.hpp"

#include <algorithm>
#include <span>

namespace trackd::config {
namespace {

constexpr std::string_view key_prefix = "trk_";

/// Shorter texts are names, such as `trk_production`, and too short to give a key away.
constexpr std::size_t min_secret = 16;

/// The keys of one list, in its order: `later` is compared with those before it.
using earlier_keys = std::span<const key_settings>;

void check_name(const reading& all, earlier_keys earlier, const key_settings& later, problems& found) {
    if (later.name.empty()) return;
    const auto option = key_key(later) + ".name";
    const auto report = [&](const std::string& text) { found.add(all.where.at(option), option, text); };
    const auto same =
        std::ranges::find_if(earlier, [&](const auto& other) { return same_name(other.name, later.name); });
    if (same != earlier.end()) {
        report(
            "another key is named " + in_quotes(same->name) +
            ", expected names that differ in more than case, or - for _"
        );
    }
    if (const auto error = key_name_error(later.name); !error.empty()) report(error);
}

void check_hashes(const reading& all, earlier_keys earlier, const key_settings& later, problems& found) {
    if (later.name.empty()) return;
    const auto option = key_key(later) + ".sha256";
    for (const auto& hash : later.sha256) {
        const auto has_it = [&](const key_settings& other) {
            return std::ranges::find(other.sha256, hash) != other.sha256.end();
        };
        const auto same = std::ranges::find_if(earlier, has_it);
        if (same == earlier.end()) continue;
        found.add(
            all.where.at(option), option,
            "the key " + in_quotes(same->name) + " has the same hash, expected a key of its own: " +
                std::string{fingerprint(hash)} + "… in one of them only"
        );
    }
}

} // namespace

std::string key_name_error(std::string_view name) {
    if (name == "none" || name == "other") {
        return "found " + in_quotes(name) +
               ", expected a name other than \"none\" and \"other\", which the metrics use for what has no "
               "key of its own";
    }
    if (contains_key(name)) return "found a key, which is a secret, expected the key's name";
    return {};
}

bool contains_key(std::string_view text) {
    return without_keys(text) != text;
}

std::string without_keys(std::string_view text) {
    std::string result;
    for (auto at = text.find(key_prefix); at != text.npos; at = text.find(key_prefix)) {
        const auto secret = text.substr(at + key_prefix.size());
        const auto* end = std::ranges::find_if_not(secret, base::fits_name);
        const auto length = static_cast<std::size_t>(end - secret.begin());
        result.append(text.substr(0, at + key_prefix.size()));
        result.append(length < min_secret ? secret.substr(0, length) : "…");
        text = secret.substr(length);
    }
    return result.append(text);
}

std::string_view fingerprint(std::string_view hash) noexcept {
    return hash.substr(0, 8);
}

void check_keys(const reading& all, problems& found) {
    const earlier_keys keys{all.result.keys};
    for (std::size_t i = 0; i < keys.size(); ++i) {
        check_name(all, keys.first(i), keys[i], found);
        check_hashes(all, keys.first(i), keys[i], found);
    }
}

} // namespace trackd::config
