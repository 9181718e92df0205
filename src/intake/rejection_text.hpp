// What a path and an error's detail look like to an operator: without a key, and without anything of the body.
#pragma once

#include <string>
#include <string_view>

namespace trackd::intake {

/// At most 200 bytes of it. A key in it, as in `/v1/projects/KEY/settings`, is masked.
[[nodiscard]] std::string path_for_operator(std::string_view path);

/// At most 300 bytes of it. Quoted text is masked, as it may be of the body, unless it is the name of an attribute, or
/// known to be of the head.
[[nodiscard]] std::string detail_for_operator(std::string_view detail);

/// `invalid_event`, of the slug `invalid-event`.
[[nodiscard]] std::string reason_of(std::string_view slug);

} // namespace trackd::intake
