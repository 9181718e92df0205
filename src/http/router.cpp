// Finding the handler of a request, and answering where there is none.
#include "http/router.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <stdexcept>

namespace trackd::http {

namespace {

/// Cuts the first segment that is not empty off the path. Empty: there is none left.
std::string_view take_segment(std::string_view& path) noexcept {
    path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
    const auto segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    return segment;
}

auto name_of(verb method) {
    const auto text = boost::beast::http::to_string(method);
    return std::string_view{text.data(), text.size()};
}

} // namespace

void router::add(verb method, std::string pattern, handler respond, access wanted, error_form errors) {
    const auto brace = pattern.find('{');
    const bool open_ended = brace != std::string::npos;
    const auto closing = open_ended ? pattern.find('}', brace) : 0;
    std::string ending;
    if (open_ended && closing != std::string::npos) ending = pattern.substr(closing + 1);
    const bool ends_well = ending.empty() || (ending.front() == '/' && brace > 1);
    if (pattern.empty() || pattern.front() != '/' || closing == std::string::npos ||
        (open_ended && pattern[brace - 1] != '/') || !ends_well) {
        throw std::invalid_argument(
            "route \"" + pattern + "\": expected /path, /path/{name} or /path/{name}/path"
        );
    }
    base::log().debug("http: route {} {}", name_of(method), pattern);
    const auto number = number_of(pattern);
    if (open_ended) pattern.resize(brace);
    entries_.push_back(
        {method, number, std::move(pattern), std::move(ending), open_ended, std::move(respond), wanted, errors
        }
    );
}

std::size_t router::number_of(const std::string& pattern) {
    const auto known = std::ranges::find(patterns_, pattern);
    const auto number = static_cast<std::size_t>(known - patterns_.begin());
    if (known == patterns_.end()) patterns_.push_back(pattern);
    return number;
}

const router::entry* router::find(const request& req) const noexcept {
    const auto* found = find(req, &entry::matches);
    return found != nullptr ? found : find(req, &entry::matches_segments); // a slash too many
}

const router::entry* router::find(const request& req, path_test matches) const noexcept {
    const auto wanted = req.method == verb::head ? verb::get : req.method;
    const entry* found = nullptr;
    for (const auto& each : entries_) {
        if (each.method != wanted && !(each.method == verb::head && req.method == verb::head)) continue;
        if (!(each.*matches)(req.path)) continue;
        if (!each.open_ended) return &each; // what is spelt out beats what stands for anything
        if (found == nullptr) found = &each;
    }
    return found;
}

void router::say_errors_below(std::string prefix, error_form errors) {
    forms_.emplace_back(std::move(prefix), errors);
}

error_form router::form_without_handler(std::string_view path) const noexcept {
    for (const auto& each : entries_)
        if (each.method == verb::post && each.errors != nullptr && each.matches_segments(path))
            return each.errors;
    path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
    for (const auto& [prefix, errors] : forms_)
        if (path.starts_with(std::string_view{prefix}.substr(1))) return errors;
    return nullptr;
}

void router::choose_form(const entry* found, const request& req, response& res) const noexcept {
    res.say_errors_in(found == nullptr ? form_without_handler(req.path) : found->errors, req);
    res.route = found == nullptr ? 0 : found->number;
}

pending router::route(request& req, response& res) const {
    if (answers_preflight(req)) {
        choose_form(nullptr, req, res);
        answer_preflight(req, res);
        return {};
    }
    const auto* found = find(req);
    choose_form(found, req, res);
    if (found != nullptr) {
        if (found->open_ended) req.parameter = found->parameter_in(req.path);
        return found->respond(req, res);
    }
    answer_without_handler(req, res);
    return {};
}

bool router::ask_guard(request& req, std::optional<std::uint64_t> body_bytes, response& res) const {
    const auto* found = find(req);
    if (found == nullptr || found->wanted == access::open || answers_preflight(req)) return true;
    res.clear();
    choose_form(found, req, res);
    return guard_->admit_head(req, body_bytes, found->wanted, res);
}

void router::answer_without_handler(const request& req, response& res) const {
    if (req.method == verb::unknown) {
        return res.problem(status::not_implemented, "unknown-method", "This is not a method of HTTP.");
    }
    const auto allowed = allowed_methods(req.path);
    if (allowed.empty()) {
        return res.problem(status::not_found, "not-found", "There is nothing at this path.");
    }
    res.add_header("Allow", allowed);
    if (req.method == verb::options) {
        res.code = status::no_content;
    } else {
        res.problem(
            status::method_not_allowed, "method-not-allowed", "At this path the methods are: " + allowed + "."
        );
    }
}

std::string router::allowed_methods(std::string_view path) const {
    std::string list;
    const auto add_once = [&](std::string_view name) {
        if (list.find(name) == std::string::npos) list.append(list.empty() ? "" : ", ").append(name);
    };
    for (const auto& each : entries_) {
        if (path != "*" && !each.matches_segments(path)) continue;
        add_once(name_of(each.method));
        if (each.method == verb::get) add_once("HEAD");
    }
    if (!list.empty()) add_once("OPTIONS");
    return list;
}

bool router::entry::matches(std::string_view path) const noexcept {
    if (!open_ended) return path == pattern;
    if (path.size() <= pattern.size() + ending.size() || !path.starts_with(pattern)) return false;
    const auto parameter = path.substr(pattern.size(), path.size() - pattern.size() - ending.size());
    return path.ends_with(ending) && parameter.find('/') == std::string_view::npos;
}

bool router::entry::matches_segments(std::string_view path) const noexcept {
    const auto follows = [&path](std::string_view expected) {
        for (auto segment = take_segment(expected); !segment.empty(); segment = take_segment(expected))
            if (take_segment(path) != segment) return false;
        return true;
    };
    if (!path.starts_with('/') || !follows(pattern)) return false;
    if (open_ended && take_segment(path).empty()) return false;
    return follows(ending) && take_segment(path).empty();
}

// Of a path that matches.
std::string_view router::entry::parameter_in(std::string_view path) const noexcept {
    std::string_view before = pattern;
    while (!take_segment(before).empty())
        take_segment(path);
    return take_segment(path);
}

} // namespace trackd::http
