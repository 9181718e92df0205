// The value of a Content-Type header, and the `datacontenttype` of an event: what it says, as far as we act
// on it.
#pragma once

#include <string_view>

namespace trackd::intake {

/// Views into the text it was made from.
class media_type {
public:
    explicit media_type(std::string_view text) noexcept;

    /// Whether it is `type/subtype` and perhaps parameters, all of visible ASCII characters and blanks.
    [[nodiscard]] bool well_formed() const noexcept;

    /// Whether it is this type, whatever its parameters. Case does not matter.
    [[nodiscard]] bool is(std::string_view type_and_subtype) const noexcept;

    /// Whether the type and subtype begin like this. Case does not matter.
    [[nodiscard]] bool begins_with(std::string_view prefix) const noexcept;

    /// Whether the subtype is `json`, or ends in `+json`.
    [[nodiscard]] bool is_json() const noexcept;

    /// Whether it is one of the names under which programs send one JSON object a line.
    [[nodiscard]] bool is_json_lines() const noexcept;

    /// Whether it is one of the names of MessagePack.
    [[nodiscard]] bool is_message_pack() const noexcept;

    /// The parameter of this name, without quotes; empty if there is none.
    [[nodiscard]] std::string_view parameter(std::string_view wanted) const noexcept;

    /// The parameter `charset`.
    [[nodiscard]] std::string_view charset() const noexcept { return parameter("charset"); }

    /// Whether it names no charset, or one that UTF-8 covers.
    [[nodiscard]] bool is_utf8() const noexcept;

private:
    std::string_view text_;
    std::string_view essence_;    // type/subtype
    std::string_view parameters_; // what stands behind the first `;`
};

} // namespace trackd::intake
