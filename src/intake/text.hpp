// Bytes that a client sent, seen as text: whether they are any, whether they may be an attribute, how to
// quote them.
#pragma once

#include <trackd/event.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace trackd::intake {

/// What stands around JSON tokens (RFC 8259 section 2).
inline constexpr std::string_view json_blanks = " \t\r\n";

/// Without the blanks at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept;

/// `text` for valid UTF-8 without U+0000, which databases do not take for text; else `binary`.
[[nodiscard]] data_kind kind_of(std::string_view bytes) noexcept;

/// What keeps valid UTF-8 text from being an attribute: "is empty; expected …". Nothing if it may be one.
[[nodiscard]] std::optional<std::string> attribute_fault(std::string_view text);

/// Whether it may be the name of an extension of a CloudEvent.
[[nodiscard]] bool is_extension_name(std::string_view name) noexcept;

/// Whether an event's `extensions`, as the intake writes them, have one of this name.
[[nodiscard]] bool has_extension(std::string_view extensions, std::string_view name) noexcept;

/// As a JSON string for an error's detail: escaped, and no more than 64 bytes of it.
[[nodiscard]] std::string quoted(std::string_view text);

} // namespace trackd::intake
