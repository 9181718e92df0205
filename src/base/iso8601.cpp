#include "base/iso8601.hpp"

#include "base/rfc3339.hpp"

#include <algorithm>
#include <cstddef>
#include <string>

namespace trackd::base {

namespace {

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

/// Writes a text anew, as RFC 3339 has it. Each step takes something from the left, and returns whether it was there.
class normaliser {
public:
    explicit normaliser(std::string_view text) : rest_{text} {}

    bool run() {
        if (!date()) return false;
        if (rest_.empty()) {
            out_ += "T00:00:00Z";
            return true;
        }
        if (!one_of("Tt ")) return false;
        out_ += 'T';
        return time() && zone() && rest_.empty();
    }

    [[nodiscard]] const std::string& text() const noexcept { return out_; }

private:
    bool one_of(std::string_view choice) noexcept {
        if (rest_.empty() || choice.find(rest_.front()) == std::string_view::npos) return false;
        rest_.remove_prefix(1);
        return true;
    }

    /// So many digits.
    bool number(std::size_t digits) {
        const auto found = rest_.substr(0, digits);
        if (found.size() < digits || !std::ranges::all_of(found, is_digit)) return false;
        out_ += found;
        rest_.remove_prefix(digits);
        return true;
    }

    bool date() {
        if (!number(4)) return false;
        const bool extended = one_of("-");
        out_ += '-';
        if (!number(2) || (extended && !one_of("-"))) return false;
        out_ += '-';
        return number(2);
    }

    bool time() {
        if (!number(2)) return false;
        const bool extended = one_of(":");
        out_ += ':';
        if (!number(2)) return false;
        out_ += ':';
        const bool has_seconds = extended ? one_of(":") : !rest_.empty() && is_digit(rest_.front());
        if (!has_seconds) {
            out_ += "00";
            return true;
        }
        if (!number(2)) return false;
        return fraction();
    }

    bool fraction() {
        if (!one_of(".,")) return true;
        out_ += '.';
        const auto first = rest_;
        while (number(1)) {
        }
        return rest_.size() < first.size();
    }

    bool zone() {
        one_of(" ");
        if (rest_.empty() || rest_ == "Z" || rest_ == "z" || rest_ == "UTC" || rest_ == "GMT") {
            rest_ = {};
            out_ += 'Z';
            return true;
        }
        out_ += rest_.front();
        if (!one_of("+-") || !number(2)) return false;
        out_ += ':';
        if (rest_.empty()) {
            out_ += "00";
            return true;
        }
        one_of(":");
        return number(2);
    }

    std::string_view rest_;
    std::string out_;
};

} // namespace

std::optional<wall_time> parse_iso8601(std::string_view text) {
    if (const auto time = parse_rfc3339(text)) return time; // nearly always
    constexpr std::size_t longest = 64;
    if (text.size() > longest) return std::nullopt;
    normaliser normal{text};
    if (!normal.run()) return std::nullopt;
    return parse_rfc3339(normal.text());
}

} // namespace trackd::base
