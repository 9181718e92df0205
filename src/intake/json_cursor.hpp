// A walk over a JSON text that is known to be valid, along the index of its tokens, without looking at what
// lies between.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace trackd::intake {

enum class json_kind : std::uint8_t { object, array, string, number, boolean, null };

/// What a value is can be seen at its first byte.
[[nodiscard]] constexpr json_kind json_kind_at(char first) noexcept {
    switch (first) {
    case '{': return json_kind::object;
    case '[': return json_kind::array;
    case '"': return json_kind::string;
    case 't':
    case 'f': return json_kind::boolean;
    case 'n': return json_kind::null;
    default: return json_kind::number;
    }
}

/// "an object", "a string", ...
[[nodiscard]] constexpr std::string_view with_article(json_kind kind) noexcept {
    switch (kind) {
    case json_kind::object: return "an object";
    case json_kind::array: return "an array";
    case json_kind::string: return "a string";
    case json_kind::number: return "a number";
    case json_kind::boolean: return "true or false";
    case json_kind::null: return "null";
    }
    return {};
}

/// Stands on a token: one of `{ } [ ] : ,`, or the first byte of a scalar. Goes forwards only. The members of
/// an object are walked like this:
///
///     for (bool more = at.enter(); more; more = at.next()) {
///         const auto name = at.name();
///         const auto value = at.value(); // or a walk of its own
///     }
///
/// and the elements of an array in the same way, without the name.
class json_cursor {
public:
    /// @param text   a valid JSON text
    /// @param tokens where each of its tokens begins, and then the size of the text
    json_cursor(std::string_view text, const std::uint32_t* tokens) noexcept
        : text_{text.data()}, token_{tokens} {}

    [[nodiscard]] json_kind kind() const noexcept { return json_kind_at(text_[*token_]); }

    /// Where the token stands in the text, in bytes.
    [[nodiscard]] std::size_t offset() const noexcept { return *token_; }

    /// Where the token before ends, which was a closing bracket.
    [[nodiscard]] std::size_t end_of_closed() const noexcept { return token_[-1] + std::size_t{1}; }

    /// The bytes between two offsets.
    [[nodiscard]] std::string_view bytes(std::size_t from, std::size_t to) const noexcept {
        return {text_ + from, to - from};
    }

    /// Goes into the object or array.
    /// @return false if it is empty: then it is passed
    bool enter() noexcept {
        ++token_;
        const char c = text_[*token_];
        if (c != '}' && c != ']') return true;
        ++token_;
        return false;
    }

    /// After a value: goes to the next member or element.
    /// @return false if there is none: then the object or array is passed
    bool next() noexcept { return text_[*token_++] == ','; }

    /// Passes a member's name, and the colon.
    /// @return what stands between the quotes, escaped as it came
    std::string_view name() noexcept {
        const auto string = scalar();
        ++token_;
        return string.substr(1, string.size() - 2);
    }

    /// Passes a value.
    /// @return its bytes as they came, without the blanks around it
    std::string_view value() noexcept {
        const char c = text_[*token_];
        return c == '{' || c == '[' ? nested() : scalar();
    }

private:
    std::string_view scalar() noexcept {
        const std::size_t begin = *token_++;
        std::size_t end = *token_;
        while (is_blank(text_[end - 1]))
            --end;
        return bytes(begin, end);
    }

    std::string_view nested() noexcept {
        const std::size_t begin = *token_;
        int depth = 0;
        do
            depth += nesting[static_cast<unsigned char>(text_[*token_++])];
        while (depth > 0);
        return bytes(begin, end_of_closed());
    }

    static bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

    // How a token changes the depth: a table is quicker than branches that cannot be predicted.
    static constexpr auto nesting = [] {
        std::array<std::int8_t, 256> change{};
        change['{'] = change['['] = 1;
        change['}'] = change[']'] = -1;
        return change;
    }();

    const char* text_;
    const std::uint32_t* token_;
};

} // namespace trackd::intake
