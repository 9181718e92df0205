// Where a text stops being JSON, and what was expected there: for the answer to a client, after simdjson
// refused the text.
#pragma once

#include "intake/refusal.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace trackd::intake {

/// How many arrays and objects may lie within each other.
inline constexpr std::size_t max_json_depth = 128;

struct json_fault {
    std::size_t offset = 0;    ///< in bytes, from 0; the text's size where it ends too early
    std::string_view expected; ///< a literal: "',' or '}'"
    bool too_deep = false;     ///< it may be JSON, but is nested deeper than `max_json_depth`
    bool after_value = false;  ///< the text begins with a sound value, and something else follows there
};

/// Checks a text by all rules of RFC 8259, and for depth, valid UTF-8, and no surrogate without its other
/// half. Numbers may be of any size. Takes several times as long as simdjson.
/// @param outer_depth how many arrays and objects the text lies within
[[nodiscard]] std::optional<json_fault> find_json_fault(std::string_view text, std::size_t outer_depth = 0);

/// The bytes that one UTF-8 sequence takes at the front of a text that is not empty; 0 if it is none.
[[nodiscard]] std::size_t utf8_sequence(std::string_view text) noexcept;

/// "byte 17: found 'x', expected ',' or '}'"
[[nodiscard]] std::string describe(const json_fault& fault, std::string_view text);

/// The refusal of a text that has this fault: "invalid JSON at " and its description.
[[nodiscard]] refusal invalid_json(const json_fault& fault, std::string_view text);

} // namespace trackd::intake
