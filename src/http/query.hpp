// Percent-encoding, and the query of a URL, as forms and pixels fill it in: `name=value&name=value`.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trackd::http {

/// Undoes percent-encoding (RFC 3986 section 2.1), as in a segment of a path.
/// @return nothing if a `%` is not followed by two hexadecimal digits
[[nodiscard]] std::optional<std::string> decode_percent(std::string_view text);

/// The same for senders that encode nothing: a `%` that begins no escape stands for itself.
[[nodiscard]] std::string decode_escapes(std::string_view text);

/// Undoes what a form does to a value: `+` for a blank, and percent-encoding. A `%` that begins no byte stands
/// for itself: who sends a pixel gets no error that would help to correct it.
[[nodiscard]] std::string decode_form(std::string_view text);

/// Cuts the first parameter off the query, and returns its name and its value as sent. Both may be empty.
std::pair<std::string_view, std::string_view> take_parameter(std::string_view& query) noexcept;

/// Name and value, decoded.
using query_parameter = std::pair<std::string, std::string>;

/// All parameters in their order. Those without a name are passed over.
[[nodiscard]] std::vector<query_parameter> parse_query(std::string_view query);

/// The same by their names; of several with one name the last one is left, as in most forms.
[[nodiscard]] std::map<std::string, std::string> parameters_of(std::string_view query);

/// As a JSON object of strings.
/// @param json is replaced by it
void write_object(const std::map<std::string, std::string>& parameters, std::string& json);

/// The value of the first parameter of this name, as sent; nothing if there is none.
[[nodiscard]] std::optional<std::string_view>
find_parameter(std::string_view query, std::string_view name) noexcept;

} // namespace trackd::http
