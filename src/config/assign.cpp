// One overload for each type that an option can have.
#include "config/assign.hpp"

#include "base/ascii.hpp"
#include "config/address.hpp"
#include "config/key_rules.hpp"
#include "config/network.hpp"
#include "config/statuses.hpp"
#include "config/units.hpp"
#include "config/web_origin.hpp"
#include "config/words.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

namespace trackd::config {
namespace {

/// Of one string in a list. Tokens in header fields are long.
constexpr std::int64_t longest_in_list(form list) {
    return list == form::secret_list ? 8192 : 1024;
}

bool is_hex_digit(char c) {
    const auto lower = base::to_lower(c);
    return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'f');
}

bool is_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
}

std::string list_of(std::span<const std::string_view> words) {
    std::string text;
    for (const auto word : words)
        text.append(text.empty() ? "" : ", ").append(in_quotes(word));
    return text;
}

/// What should have been there.
std::string description(const expectation& expected, std::span<const std::string_view> words) {
    const auto bounds = range(expected);
    switch (expected.written) {
    case form::flag: return "true or false";
    case form::count: return "a whole number, " + bounds;
    case form::bytes: return "a size such as 65536 or \"64KiB\", " + bounds;
    case form::duration: return "a duration with its unit such as \"5s\" (ms, s, m, h, d), " + bounds;
    case form::choice: return (words.size() > 1 ? "one of " : "") + list_of(words);
    case form::text:
    case form::secret: return "a string without control characters, " + bounds;
    case form::name: return "a string of letters, digits, - and _, " + bounds;
    case form::path: return "a path, as a string, " + bounds;
    case form::address_list:
        return "a numeric address and port such as \"127.0.0.1:8080\", \"[::1]:8080\", \"localhost:8080\" or "
               "\"*:8080\", a socket file such as \"unix:/run/trackd.sock\" (an absolute path, up to 107 "
               "bytes), "
               "\"systemd\" or \"systemd:NAME\", or an array of them";
    case form::text_list:
    case form::secret_list:
        return "a string without control characters, 1 to " +
               std::to_string(longest_in_list(expected.written)) + " bytes, or an array of " + bounds +
               " of them";
    case form::networks:
        return "an address or network such as \"192.0.2.1\", \"10.0.0.0/8\" or \"2001:db8::/32\", \"unix\", "
               "or "
               "an array of " +
               bounds + " of them";
    case form::web_origins:
        return "an origin such as \"https://shop.example\" or \"http://localhost:3000\", without a path, or "
               "an array of " +
               bounds + " of them; \"*\" means any";
    case form::statuses:
        return "a status such as \"404\", \"200\" to \"599\", a class such as \"4xx\", or an array of " +
               bounds + " of them";
    case form::sha256:
        return "the SHA-256 of a key, a string of " + std::to_string(key_hash_digits) +
               " hexadecimal digits such as `trackd key new` prints, or an array of " + bounds + " of them";
    case form::text_map: return "a table of strings, whole numbers, true or false";
    }
    return {};
}

class assigner {
public:
    assigner(const value& from, const expectation& expected, std::string_view key, problems& found)
        : from_{from}, expected_{expected}, key_{key}, found_{found} {}

    bool operator()(bool* to) const {
        const auto* flag = std::get_if<bool>(&from_.content);
        if (!flag) return refuse(from_);
        *to = *flag;
        return true;
    }

    bool operator()(std::size_t* to) const {
        const auto* text = std::get_if<std::string>(&from_.content);
        const auto* number = std::get_if<std::int64_t>(&from_.content);
        auto amount = number ? std::optional{*number} : std::nullopt;
        if (text && expected_.written == form::bytes) amount = size_in(*text);
        if (!amount || !within(*amount)) return refuse(from_);
        *to = static_cast<std::size_t>(*amount);
        return true;
    }

    bool operator()(std::chrono::milliseconds* to) const {
        const auto* text = std::get_if<std::string>(&from_.content);
        const auto* number = std::get_if<std::int64_t>(&from_.content);
        auto duration = text ? parse_duration(*text) : std::nullopt;
        if (number && *number == 0) duration = std::chrono::milliseconds{0};
        if (!duration || !within(duration->count())) return refuse(from_);
        *to = *duration;
        return true;
    }

    bool operator()(std::string* to) const {
        const auto* text = std::get_if<std::string>(&from_.content);
        if (!text || !within_size(*text) || !has_right_characters(*text)) return refuse(from_);
        *to = *text;
        return true;
    }

    bool operator()(strings* to) const {
        const auto* several = std::get_if<list>(&from_.content);
        if (several && !within_size(*several)) {
            return report(
                from_, "found " + std::to_string(several->size()) + " " + std::string{elements()} +
                           ", expected " + range(expected_)
            );
        }
        strings given;
        bool all_right = true;
        for (const auto& one : several ? *several : list{from_})
            all_right &= add_one(one, given);
        if (all_right) *to = std::move(given);
        return all_right;
    }

    /// Adds to what is there: a table may be followed by changes to single entries.
    bool operator()(named_strings* to) const {
        const auto* entries = std::get_if<table>(&from_.content);
        return entries ? add_entries(*entries, {}, *to) : refuse(from_);
    }

    template <class Enum>
        requires std::is_enum_v<Enum>
    bool operator()(Enum* to) const {
        const auto* text = std::get_if<std::string>(&from_.content);
        const auto word = std::ranges::find(words<Enum>, text ? std::string_view{*text} : std::string_view{});
        if (word == words<Enum>.end()) return refuse(from_, words<Enum>);
        *to = static_cast<Enum>(word - words<Enum>.begin());
        return true;
    }

private:
    [[nodiscard]] bool within(std::int64_t amount) const {
        return amount >= expected_.least && amount <= expected_.most;
    }

    template <class Sized>
    [[nodiscard]] bool within_size(const Sized& what) const {
        return within(static_cast<std::int64_t>(what.size()));
    }

    [[nodiscard]] static std::optional<std::int64_t> size_in(std::string_view text) {
        const auto size = parse_size(text);
        return size && std::in_range<std::int64_t>(*size) ? std::optional{static_cast<std::int64_t>(*size)}
                                                          : std::nullopt;
    }

    [[nodiscard]] bool has_right_characters(std::string_view text) const {
        if (expected_.written == form::name) return std::ranges::all_of(text, base::fits_name);
        return std::ranges::none_of(text, is_control);
    }

    bool add_one(const value& from, strings& given) const {
        if (std::holds_alternative<reported>(from.content)) return false;
        const auto* text = std::get_if<std::string>(&from.content);
        const auto element = text ? normalised(*text) : std::nullopt;
        if (!element) return refuse(from);
        if (expected_.written == form::networks && !names_network(*text)) {
            return report(
                from, "found " + in_quotes(*text) +
                          ", which is an address within a network, expected the network " +
                          in_quotes(*element) + ", or the address alone"
            );
        }
        const bool any_port = expected_.written == form::address_list && takes_any_port(*element);
        if (!any_port && std::ranges::find(given, *element) != given.end()) {
            return report(
                from, "found " + shown_twice(from, *element) + " twice, expected each " +
                          std::string{elements(1)} + " once"
            );
        }
        given.push_back(*element);
        return true;
    }

    /// The names have dots, which make tables of TOML where nobody puts them in quotes.
    bool add_entries(const table& from, const std::string& prefix, named_strings& to) const {
        bool all_right = true;
        for (const auto& [key, where, content] : from) {
            const auto name = prefix + key;
            if (const auto* inner = std::get_if<table>(&content.content)) {
                all_right &= add_entries(*inner, name + '.', to);
            } else if (const auto text = text_of(content)) {
                to[name] = *text;
            } else if (!std::holds_alternative<reported>(content.content)) {
                found_.add(
                    content.where, std::string{key_}.append(".").append(name),
                    "found " + shown(content) + ", expected a string, a whole number, true or false"
                );
                all_right = false;
            }
        }
        return all_right;
    }

    static std::optional<std::string> text_of(const value& from) {
        if (const auto* text = std::get_if<std::string>(&from.content)) {
            return text->find('\0') == text->npos ? std::optional{*text} : std::nullopt;
        }
        if (const auto* number = std::get_if<std::int64_t>(&from.content)) return std::to_string(*number);
        if (const auto* flag = std::get_if<bool>(&from.content)) return *flag ? "true" : "false";
        return std::nullopt;
    }

    /// One element of a list as it is kept; nothing if it is not right.
    [[nodiscard]] std::optional<std::string> normalised(const std::string& text) const {
        if (expected_.written == form::address_list) return normalised_address(text);
        if (expected_.written == form::web_origins) return normalised_web_origin(text);
        if (expected_.written == form::networks) return normalised_network(text);
        if (expected_.written == form::statuses)
            return names_status(text) ? std::optional{text} : std::nullopt;
        if (expected_.written == form::sha256) return normalised_hash(text);
        const bool right = !text.empty() &&
                           std::cmp_less_equal(text.size(), longest_in_list(expected_.written)) &&
                           std::ranges::none_of(text, is_control);
        return right ? std::optional{text} : std::nullopt;
    }

    [[nodiscard]] static std::optional<std::string> normalised_hash(std::string text) {
        if (text.size() != key_hash_digits || !std::ranges::all_of(text, is_hex_digit)) return std::nullopt;
        std::ranges::transform(text, text.begin(), base::to_lower);
        return text;
    }

    static constexpr std::string_view socket_files = "unix";

    [[nodiscard]] static std::optional<std::string> normalised_network(const std::string& text) {
        if (text == socket_files) return text;
        const auto network = parse_network(text);
        return network ? std::optional{network->text} : std::nullopt;
    }

    /// Of what `normalised_network` takes: whether nothing was left out.
    [[nodiscard]] static bool names_network(const std::string& text) {
        return text == socket_files || parse_network(text)->exact;
    }

    [[nodiscard]] std::string_view elements(std::size_t count = 2) const {
        switch (expected_.written) {
        case form::address_list: return count == 1 ? "address" : "addresses";
        case form::networks: return count == 1 ? "network" : "networks";
        case form::web_origins: return count == 1 ? "origin" : "origins";
        case form::statuses: return count == 1 ? "status" : "statuses";
        case form::sha256: return count == 1 ? "hash" : "hashes";
        default: return count == 1 ? "string" : "strings";
        }
    }

    [[nodiscard]] std::string shown_here(const value& what) const {
        const bool secret = expected_.written == form::secret || expected_.written == form::secret_list;
        if (secret) return "a value that is not shown";
        return expected_.written == form::sha256 ? shown_for_hash(what) : shown(what);
    }

    /// A string that is no hash may be a key, of trackd or of another program.
    [[nodiscard]] static std::string shown_for_hash(const value& what) {
        const auto* text = std::get_if<std::string>(&what.content);
        if (text == nullptr) return shown(what);
        if (contains_key(*text)) return "a key, which is a secret and is not shown";
        return "a string of " + std::to_string(text->size()) + " bytes that is not shown";
    }

    /// @param element `what` as it is kept
    [[nodiscard]] std::string shown_twice(const value& what, const std::string& element) const {
        if (expected_.written != form::sha256) return shown_here(what);
        return "the hash " + std::string{fingerprint(element)} + "…";
    }

    /// @return false, for the caller to return
    bool refuse(const value& from, std::span<const std::string_view> choice = {}) const {
        auto what = "found " + shown_here(from) + ", expected " + description(expected_, choice);
        if (!expected_.note.empty()) what.append(" (").append(expected_.note).append(")");
        return report(from, what);
    }

    bool report(const value& from, std::string_view what) const {
        found_.add(from.where, key_, what);
        return false;
    }

    const value& from_;
    const expectation& expected_;
    std::string_view key_;
    problems& found_;
};

} // namespace

std::string range(const expectation& expected) {
    const auto between = [](const std::string& least, const std::string& most) {
        return least + " to " + most;
    };
    auto in_numbers = between(std::to_string(expected.least), std::to_string(expected.most));
    switch (expected.written) {
    case form::count: return in_numbers;
    case form::bytes:
        return between(
            format_size(static_cast<std::size_t>(expected.least)),
            format_size(static_cast<std::size_t>(expected.most))
        );
    case form::duration:
        return between(
            format(std::chrono::milliseconds{expected.least}),
            format(std::chrono::milliseconds{expected.most})
        );
    case form::text:
    case form::secret:
    case form::name:
    case form::path: return in_numbers + " bytes";
    case form::address_list:
    case form::text_list:
    case form::secret_list:
    case form::networks:
    case form::web_origins:
    case form::statuses:
    case form::sha256:
    case form::text_map: return in_numbers;
    case form::flag:
    case form::choice: return {};
    }
    return {};
}

std::span<const std::string_view> choices(const slot& option) noexcept {
    return std::visit(
        [](const auto* at) -> std::span<const std::string_view> {
            using type = std::remove_cvref_t<decltype(*at)>;
            if constexpr (std::is_enum_v<type>) return words<type>;
            return {};
        },
        option
    );
}

bool assign(
    const value& from, const slot& to, const expectation& expected, std::string_view key, problems& found
) {
    if (std::holds_alternative<reported>(from.content)) return false;
    return std::visit(assigner{from, expected, key, found}, to);
}

} // namespace trackd::config
