// The fields of a form that came as multipart/form-data (RFC 7578).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace trackd::intake {

/// Each field by its name, with its value as a JSON text; of several with one name the last one is left, as in other
/// forms. A field is a string; a file, and what is no UTF-8, an object with `filename`, `contenttype`, and `data`, or
/// `data_base64` for what is no text.
/// @param content_type the header's value, which has the boundary
/// @return nothing if the body is not of this form
[[nodiscard]] std::optional<std::map<std::string, std::string>>
read_multipart(std::string_view content_type, std::string_view body);

} // namespace trackd::intake
