// Filling in an answer.
#include "http/response.hpp"

#include "base/json_text.hpp"

namespace trackd::http {

namespace {

std::string_view reason(status what) {
    const auto text = boost::beast::http::obsolete_reason(what);
    return {text.data(), text.size()};
}

} // namespace

void response::clear() {
    code = status::ok;
    content_type = {};
    headers.clear();
    body.clear();
    close = false;
    caller.reset();
    problem_slug_ = {};
}

void response::add_header(std::string_view name, std::string_view value) {
    headers.append(name).append(": ");
    for (const char c : value)
        headers.push_back(c == '\r' || c == '\n' || c == '\0' ? ' ' : c);
    headers.append("\r\n");
}

void response::json(status what, std::string_view text) {
    code = what;
    content_type = "application/json";
    body.assign(text);
}

void response::text(status what, std::string_view text) {
    code = what;
    content_type = "text/plain; charset=utf-8";
    body.assign(text);
}

void response::problem(status what, std::string_view slug, std::string_view detail) {
    problem_slug_ = slug;
    problem_detail_.assign(detail);
    if (form_ != nullptr) return form_(*asked_, *this, what, slug, detail);
    code = what;
    content_type = "application/problem+json";
    body.assign(R"({"type":"urn:trackd:problem:)").append(slug);
    body.append(R"(","title":")").append(reason(what)).append(R"(","status":)");
    body.append(std::to_string(static_cast<unsigned>(what))).append(R"(,"detail":)");
    base::append_json_string(body, detail);
    body.push_back('}');
}

void response::unavailable(std::string_view slug, std::string_view detail, std::chrono::seconds retry_after) {
    add_header("Retry-After", std::to_string(retry_after.count()));
    problem(status::service_unavailable, slug, detail);
}

} // namespace trackd::http
