#include "intake/json_fault.hpp"

#include "intake/text.hpp"

#include <algorithm>
#include <array>

namespace trackd::intake {

namespace {

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

bool is_between(char c, unsigned low, unsigned high) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= low && byte <= high;
}

} // namespace

// Unicode, table 3-7.
std::size_t utf8_sequence(std::string_view text) noexcept {
    struct form {
        unsigned first_low, first_high, second_low, second_high;
        std::size_t size;
    };

    static constexpr std::array forms{
        form{0xc2, 0xdf, 0x80, 0xbf, 2}, form{0xe0, 0xe0, 0xa0, 0xbf, 3}, form{0xe1, 0xec, 0x80, 0xbf, 3},
        form{0xed, 0xed, 0x80, 0x9f, 3}, form{0xee, 0xef, 0x80, 0xbf, 3}, form{0xf0, 0xf0, 0x90, 0xbf, 4},
        form{0xf1, 0xf3, 0x80, 0xbf, 4}, form{0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (const auto& f : forms) {
        if (!is_between(text.front(), f.first_low, f.first_high)) continue;
        if (text.size() < f.size || !is_between(text[1], f.second_low, f.second_high)) return 0;
        const auto rest = text.substr(2, f.size - 2);
        return std::all_of(rest.begin(), rest.end(), [](char c) { return is_between(c, 0x80, 0xbf); })
                   ? f.size
                   : 0;
    }
    return 0;
}

namespace {

/// Recursive descent: the depth of the text, and so of the recursion, is bounded. Each step returns whether
/// it found what it was to find; the first one that did not leaves the fault.
class checker {
public:
    checker(std::string_view text, std::size_t outer_depth) noexcept : text_{text}, depth_{outer_depth} {}

    std::optional<json_fault> run() {
        if (!value()) return fault_;
        skip_blanks();
        if (at_ < text_.size()) {
            expected("the end of the text");
            fault_->after_value = true;
        }
        return fault_;
    }

private:
    // The NUL that stands for the end is no part of any token.
    [[nodiscard]] char peek() const noexcept { return at_ < text_.size() ? text_[at_] : '\0'; }

    bool expected(std::string_view what) noexcept {
        fault_ = json_fault{at_, what};
        return false;
    }

    void skip_blanks() noexcept {
        while (at_ < text_.size() && json_blanks.find(text_[at_]) != std::string_view::npos)
            ++at_;
    }

    bool value() {
        skip_blanks();
        switch (peek()) {
        case '{': return nested(&checker::object);
        case '[': return nested(&checker::array);
        case '"': return string();
        case 't': return literal("true");
        case 'f': return literal("false");
        case 'n': return literal("null");
        default: return peek() == '-' || is_digit(peek()) ? number() : expected("a JSON value");
        }
    }

    bool nested(bool (checker::*inside)()) {
        if (depth_ == max_json_depth) {
            fault_ = json_fault{at_, "at most 128 arrays and objects within each other", true};
            return false;
        }
        ++depth_;
        ++at_;
        skip_blanks();
        const bool found = (this->*inside)();
        --depth_;
        return found;
    }

    bool object() {
        if (peek() == '}') return ++at_, true;
        for (;;) {
            skip_blanks();
            if (peek() != '"') return expected("a member's name in double quotes");
            if (!string()) return false;
            skip_blanks();
            if (peek() != ':') return expected("':'");
            ++at_;
            if (!value()) return false;
            skip_blanks();
            if (peek() == '}') return ++at_, true;
            if (peek() != ',') return expected("',' or '}'");
            ++at_;
        }
    }

    bool array() {
        if (peek() == ']') return ++at_, true;
        for (;;) {
            if (!value()) return false;
            skip_blanks();
            if (peek() == ']') return ++at_, true;
            if (peek() != ',') return expected("',' or ']'");
            ++at_;
        }
    }

    bool literal(std::string_view word) {
        if (!text_.substr(at_).starts_with(word)) return expected("true, false or null");
        at_ += word.size();
        return true;
    }

    bool digits() {
        if (!is_digit(peek())) return expected("a digit");
        while (is_digit(peek()))
            ++at_;
        return true;
    }

    bool number() {
        if (peek() == '-') ++at_;
        if (peek() == '0')
            ++at_; // and no further digit
        else if (!digits())
            return false;
        if (peek() == '.') {
            ++at_;
            if (!digits()) return false;
        }
        if (peek() == 'e' || peek() == 'E') {
            ++at_;
            if (peek() == '+' || peek() == '-') ++at_;
            if (!digits()) return false;
        }
        return true;
    }

    bool string() {
        ++at_;
        for (;;) {
            if (at_ == text_.size()) return expected("the string's closing quote");
            const char c = text_[at_];
            if (c == '"') return ++at_, true;
            if (c == '\\') {
                if (!escape()) return false;
            } else if (static_cast<unsigned char>(c) < 0x20) {
                return expected("control characters in a string to be escaped");
            } else if (static_cast<unsigned char>(c) < 0x80) {
                ++at_;
            } else {
                const auto size = utf8_sequence(text_.substr(at_));
                if (size == 0) return expected("valid UTF-8");
                at_ += size;
            }
        }
    }

    bool escape() {
        const auto start = at_++;
        if (peek() != 'u') {
            if (std::string_view{"\"\\/bfnrt"}.find(peek()) == std::string_view::npos || at_ == text_.size())
                return expected("one of \" \\ / b f n r t u after a backslash");
            ++at_;
            return true;
        }
        unsigned unit = 0;
        if (!code_unit(unit)) return false;
        if (unit < 0xd800 || unit > 0xdfff) return true;
        unsigned low = 0;
        const bool paired = unit <= 0xdbff && text_.substr(at_).starts_with("\\u");
        if (paired && (++at_, !code_unit(low))) return false;
        if (low >= 0xdc00 && low <= 0xdfff) return true;
        at_ = start;
        return expected("a high surrogate followed by a low one");
    }

    /// From the `u` on.
    bool code_unit(unsigned& unit) {
        ++at_;
        for (int i = 0; i < 4; ++i, ++at_) {
            const char c = peek();
            if (is_digit(c))
                unit = unit * 16 + static_cast<unsigned>(c - '0');
            else if (is_between(c, 'a', 'f'))
                unit = unit * 16 + static_cast<unsigned>(c - 'a' + 10);
            else if (is_between(c, 'A', 'F'))
                unit = unit * 16 + static_cast<unsigned>(c - 'A' + 10);
            else
                return expected("four hexadecimal digits after \\u");
        }
        return true;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t depth_;
    std::optional<json_fault> fault_;
};

std::string found(std::string_view text, std::size_t offset) {
    if (offset >= text.size()) return "the text ends";
    const char c = text[offset];
    if (is_between(c, 0x20, 0x7e)) return std::string{"found '"} + c + '\'';
    constexpr std::string_view digits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    return std::string{"found the byte 0x"} + digits[byte >> 4U] + digits[byte & 0xfU];
}

} // namespace

std::optional<json_fault> find_json_fault(std::string_view text, std::size_t outer_depth) {
    return checker{text, outer_depth}.run();
}

std::string describe(const json_fault& fault, std::string_view text) {
    return "byte " + std::to_string(fault.offset) + ": " + found(text, fault.offset) + ", expected " +
           std::string{fault.expected};
}

refusal invalid_json(const json_fault& fault, std::string_view text) {
    refusal refused{refusal_kind::invalid_json, "invalid JSON at " + describe(fault, text)};
    if (fault.too_deep) refused.hit = limit::json_depth;
    return refused;
}

} // namespace trackd::intake
