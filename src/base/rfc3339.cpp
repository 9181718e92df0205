// The date-time of RFC 3339, read and written by hand: the standard library's `parse` is missing from GCC 12,
// and slower by far than intake can afford.
#include "base/rfc3339.hpp"

#include <array>

namespace trackd::base {

namespace {

using std::chrono::microseconds;

/// Takes a text apart from the left. After a failed step all further ones fail, so that one look at the end
/// is enough.
class scanner {
public:
    explicit scanner(std::string_view text) noexcept : rest_{text} {}

    /// Exactly so many digits, with a value in [min, max].
    int number(std::size_t digits, int min, int max) noexcept {
        int value = 0;
        for (std::size_t i = 0; i < digits; ++i)
            value = value * 10 + digit();
        if (value < min || value > max) failed_ = true;
        return value;
    }

    /// One of these characters.
    char one_of(std::string_view choice) noexcept {
        if (rest_.empty() || choice.find(rest_.front()) == std::string_view::npos) {
            failed_ = true;
            return '\0';
        }
        const char found = rest_.front();
        rest_.remove_prefix(1);
        return found;
    }

    /// What may follow the seconds: a point and digits.
    microseconds fraction() noexcept {
        if (rest_.empty() || rest_.front() != '.') return microseconds{0};
        rest_.remove_prefix(1);
        int value = digit();
        int digits = 1;
        for (; at_digit(); ++digits) {
            const int next = digit();
            if (digits < 6) value = value * 10 + next;
        }
        for (; digits < 6; ++digits)
            value *= 10;
        return microseconds{value};
    }

    [[nodiscard]] bool complete() const noexcept { return !failed_ && rest_.empty(); }

private:
    [[nodiscard]] bool at_digit() const noexcept {
        return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9';
    }

    int digit() noexcept {
        if (!at_digit()) {
            failed_ = true;
            return 0;
        }
        const int value = rest_.front() - '0';
        rest_.remove_prefix(1);
        return value;
    }

    std::string_view rest_;
    bool failed_ = false;
};

constexpr std::chrono::sys_days first_day = std::chrono::year{0} / 1 / 1;
constexpr std::chrono::sys_days after_last_day = std::chrono::year{10000} / 1 / 1;

} // namespace

std::optional<wall_time> parse_rfc3339(std::string_view text) noexcept {
    scanner scan{text};
    const std::chrono::year year{scan.number(4, 0, 9999)};
    scan.one_of("-");
    const std::chrono::month month{static_cast<unsigned>(scan.number(2, 1, 12))};
    scan.one_of("-");
    const std::chrono::day day{static_cast<unsigned>(scan.number(2, 1, 31))};
    scan.one_of("Tt");
    const std::chrono::hours hours{scan.number(2, 0, 23)};
    scan.one_of(":");
    const std::chrono::minutes minutes{scan.number(2, 0, 59)};
    scan.one_of(":");
    const std::chrono::seconds seconds{scan.number(2, 0, 60)};
    auto fraction = scan.fraction();
    if (seconds.count() == 60) fraction = microseconds{0}; // the whole leap second is one moment

    std::chrono::minutes offset{0};
    if (const char sign = scan.one_of("Zz+-"); sign == '+' || sign == '-') {
        offset = std::chrono::hours{scan.number(2, 0, 23)};
        scan.one_of(":");
        offset += std::chrono::minutes{scan.number(2, 0, 59)};
        if (sign == '-') offset = -offset;
    }

    const std::chrono::year_month_day date{year, month, day};
    if (!scan.complete() || !date.ok()) return std::nullopt;
    const wall_time time = std::chrono::sys_days{date} + hours + minutes + seconds + fraction - offset;
    if (time < first_day || time >= after_last_day) return std::nullopt; // only its offset takes it there
    return time;
}

void append_rfc3339(std::string& out, wall_time time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{time - day};

    std::array<char, 27> text{};
    std::size_t at = 0;
    const auto put = [&](std::int64_t value, std::size_t digits, char after) {
        for (std::size_t i = digits; i-- > 0; value /= 10)
            text[at + i] = static_cast<char>('0' + value % 10);
        at += digits;
        text[at++] = after;
    };
    put(static_cast<int>(date.year()), 4, '-');
    put(static_cast<unsigned>(date.month()), 2, '-');
    put(static_cast<unsigned>(date.day()), 2, 'T');
    put(clock.hours().count(), 2, ':');
    put(clock.minutes().count(), 2, ':');
    put(clock.seconds().count(), 2, '.');
    put(clock.subseconds().count(), 6, 'Z');
    out.append(text.data(), text.size());
}

} // namespace trackd::base
