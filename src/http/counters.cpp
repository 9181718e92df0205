// The names of what is counted.
#include "http/counters.hpp"

namespace trackd::http {

std::string_view to_string(refusal reason) noexcept {
    switch (reason) {
    case refusal::malformed: return "malformed";
    case refusal::timeout: return "timeout";
    case refusal::body_too_large: return "body_too_large";
    case refusal::bodies_full: return "bodies_full";
    case refusal::target_too_long: return "target_too_long";
    case refusal::expectation: return "expectation";
    case refusal::head_too_large: return "head_too_large";
    case refusal::transfer_coding: return "transfer_coding";
    case refusal::closing: return "closing";
    case refusal::version: return "version";
    case refusal::not_admitted: return "not_admitted";
    case refusal::count_: break;
    }
    return "unknown";
}

std::string_view to_string(limit which) noexcept {
    switch (which) {
    case limit::max_connections: return "http.max_connections";
    case limit::open_files: return "open_files";
    case limit::max_connections_per_address: return "http.max_connections_per_address";
    case limit::max_head_bytes: return "http.max_head_bytes";
    case limit::header_fields: return "header_fields";
    case limit::max_body_bytes: return "http.max_body_bytes";
    case limit::max_bodies_bytes: return "http.max_bodies_bytes";
    case limit::head_timeout: return "http.head_timeout";
    case limit::body_timeout: return "http.body_timeout";
    case limit::min_body_rate: return "http.min_body_rate";
    case limit::idle_timeout: return "http.idle_timeout";
    case limit::write_timeout: return "http.write_timeout";
    case limit::count_: break;
    }
    return "unknown";
}

} // namespace trackd::http
