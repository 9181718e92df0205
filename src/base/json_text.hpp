// JSON text by hand, where a document model would only copy: strings, and events as CloudEvents JSON.
#pragma once

#include <trackd/event.hpp>

#include <string>
#include <string_view>

namespace trackd::base {

/// Appends `text` as a JSON string, quotes included. Bytes that are no valid UTF-8 become U+FFFD, so that the
/// result is valid JSON whatever comes in. Control characters, DEL and the C1 controls (U+0080 to U+009F) are
/// escaped, so that it is safe in a log, too.
void append_json_string(std::string& out, std::string_view text);

/// The text as `append_json_string` writes it.
[[nodiscard]] std::string json_string(std::string_view text);

/// Appends what follows the other members of an event's JSON object: nothing where it has no data; else a comma and
/// `data`, as it is where it is JSON (line breaks inside, which can only be white space between tokens, become spaces),
/// as a string where it is text; or `data_base64` where it is binary. DEL and C1 controls are escaped.
void append_data_member(std::string& out, const event_view& event);

/// Appends the event in the JSON event format of CloudEvents 1.0, on one line, without a line's end, with its data as
/// `append_data_member` writes it. Extensions are spliced in as top-level members, and so is `receivedat`, the event's
/// arrival, unless it already has an extension of that name. DEL and C1 controls in what is spliced in are escaped.
void append_cloudevent(std::string& out, const event_view& event);

} // namespace trackd::base
