// A call of Segment's pixels, which comes in a query, as the JSON that its other paths take.
#pragma once

#include "intake/refusal.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace trackd::intake {

/// Either `data=<base64url of the JSON>`, or one parameter a member: `properties.plan=pro` is the member
/// `plan` of the object `properties`. All values are strings then.
/// @param json gets the call, without `writeKey` where it was a parameter
[[nodiscard]] std::optional<refusal> write_segment_call(std::string_view query, std::string& json);

} // namespace trackd::intake
