// The names of the reasons for which requests are refused.
#include "http/counters.hpp"

namespace trackd::http {

std::string_view to_string(refusal reason) noexcept {
    switch (reason) {
    case refusal::malformed: return "malformed";
    case refusal::timeout: return "timeout";
    case refusal::body_too_large: return "body_too_large";
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

} // namespace trackd::http
