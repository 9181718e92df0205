#include "intake/json_body.hpp"

#include "intake/body_format.hpp"
#include "intake/text.hpp"

#include <string>

namespace trackd::intake {

std::optional<refusal> parse_object(std::string_view body, json_document& document) {
    const auto text = without_byte_order_mark(body);
    if (trimmed(text).empty())
        return refusal{refusal_kind::empty_body, "the body is empty; expected a JSON object"};
    if (auto fault = document.parse(text)) {
        fault->offset += body.size() - text.size();
        return invalid_json(*fault, body);
    }
    if (const auto kind = document.root().kind(); kind != json_kind::object)
        return refusal{
            refusal_kind::unexpected_json,
            "the body is " + std::string{with_article(kind)} + "; expected an object"
        };
    return std::nullopt;
}

} // namespace trackd::intake
