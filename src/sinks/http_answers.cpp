#include "sinks/http_answers.hpp"

#include "base/json_text.hpp"
#include "base/utf8.hpp"

#include <algorithm>
#include <array>

namespace trackd::sinks {

namespace {

constexpr std::size_t shown_bytes = 200;

struct advice {
    long status;
    std::string_view what;
};

constexpr auto known = std::to_array<advice>({
    {401, "expected credentials in headers that it accepts"},
    {403, "expected credentials in headers that it accepts"},
    {404, "expected a url where events can be POSTed"},
    {405, "expected a url where events can be POSTed"},
    {407, "expected credentials for the proxy"},
    {413, "batch_bytes and batch_events make requests smaller"},
    {415, "expected a format and a compression that it takes"},
});

std::string_view advice_for(long status) noexcept {
    const auto* found = std::ranges::find(known, status, &advice::status);
    return found != known.end() ? found->what : std::string_view{};
}

/// Redirects mostly repeat the request's query, which may be secret.
std::string without_query(std::string_view url) {
    return escaped(url.substr(0, url.find_first_of("?#")));
}

} // namespace

// What nobody has named, as the rest of 4xx, is about the request and not about what it brings: the path, credentials,
// header fields. An operator mends it, and until then no event must pay for it.
http_fate fate_of(long status, const http_statuses& meanings) {
    const auto itself = std::to_string(status);
    for (const auto& text : {itself, itself.substr(0, 1) + "xx"}) {
        const auto is_in = [&](const auto& list) { return std::ranges::find(list, text) != list.end(); };
        if (is_in(meanings.delivered)) return http_fate::delivered;
        if (is_in(meanings.refused)) return http_fate::refused;
        if (is_in(meanings.retried)) return http_fate::failed;
    }
    return http_fate::failed;
}

std::string described(const http_answer& answer) {
    auto text = "answered " + std::to_string(answer.status);
    if (answer.status >= 300 && answer.status < 400) {
        text += ", a redirect";
        if (!answer.location.empty()) text += " to " + without_query(answer.location);
        text += ", which is not followed; expected a url that answers itself";
    } else if (const auto what = advice_for(answer.status); !what.empty()) {
        text.append("; ").append(what);
    }
    if (answer.retry_after) text += "; not before " + std::to_string(answer.retry_after->count()) + " s";
    const auto body = base::whole_characters(answer.body, shown_bytes);
    if (body.empty()) return text;
    text += ": ";
    base::append_json_string(text, body);
    return body.size() < answer.body.size() ? text + "…" : text;
}

std::string escaped(std::string_view text) {
    const auto quoted = base::json_string(text);
    return quoted.substr(1, quoted.size() - 2);
}

} // namespace trackd::sinks
