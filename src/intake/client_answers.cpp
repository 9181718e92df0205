#include "intake/client_answers.hpp"

#include "base/json_text.hpp"
#include "intake/answers.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace trackd::intake {

namespace {

using http::status;

/// Each library reads other members of it.
void answer(http::response& res, status code, std::string_view slug, std::string_view detail) {
    std::string code_of_error{slug};
    std::ranges::replace(code_of_error, '-', '_');
    std::string text;
    base::append_json_string(text, detail);
    res.json(code, R"({"success":false,"code":")");
    res.body.append(code_of_error).append(R"(","message":)").append(text);
    res.body.append(R"(,"error":")").append(code_of_error).append(R"(","error_description":)").append(text);
    res.body.append(R"(,"detail":)").append(text).append("}");
}

constexpr std::string_view too_large = "payload-too-large";

} // namespace

void answer_client_denied(http::response& res) {
    const auto code = res.code;
    if (code == status::unauthorized)
        answer(res, code, "unauthorized", "there is no such write key; nothing was stored");
    else if (code == status::too_many_requests)
        answer(res, code, "rate-limited", "more than the write key may send in a second; nothing was stored");
    else
        answer(res, code, "forbidden", "the write key may not be used for this; nothing was stored");
}

void answer_client_error(http::response& res, const refusal& refused) {
    const auto [code, slug] = meaning_of(refused.kind);
    answer(res, status::bad_request, code == status::payload_too_large ? too_large : slug, refused.detail);
}

void answer_client_error(
    http::response& res, boost::system::error_code failed, std::chrono::seconds retry_after
) {
    const auto meaning = meaning_of(failed);
    if (meaning.code == status::payload_too_large)
        return answer(res, status::bad_request, too_large, meaning.detail);
    answer(res, meaning.code, meaning.slug, meaning.detail);
    // Without it, or with 0, some of them come back at once.
    res.add_header("Retry-After", std::to_string(std::max(retry_after, std::chrono::seconds{1}).count()));
    res.close = meaning.close;
}

} // namespace trackd::intake
