// Why a body became no events: found by the readers, which know no HTTP, and answered by the endpoint.
#pragma once

#include "intake/limits.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace trackd::intake {

enum class refusal_kind : std::uint8_t {
    empty_body,              ///< nothing in it, or an empty batch
    invalid_json,            ///< no JSON text at all
    unexpected_json,         ///< valid JSON, but neither an object nor an array
    empty_batch,             ///< an object around a batch with nothing in it
    no_user,                 ///< a call that does not say whose it is
    invalid_event,           ///< a JSON value that is no event by the rules of its form
    invalid_path_type,       ///< `/events/{type}` with something that cannot be a type
    invalid_idempotency_key, ///< the header, not what is done with it
    invalid_query,           ///< a parameter behind the `?`
    invalid_header,          ///< a header field of a CloudEvent that cannot be decoded, or must not be there
    event_too_large,         ///< one event over its limit
    batch_too_large,         ///< more events than one request may bring
    unsupported_media_type,  ///< a content type, or a charset, that cannot be read
    unsupported_encoding,    ///< a content coding that is not known
    invalid_encoding,        ///< not what its content coding says
    body_too_large,          ///< once its content coding was taken off
    bodies_full,             ///< no room for it beside the others, once its content coding was taken off
};

struct refusal {
    refusal_kind kind;
    std::string detail;            ///< one sentence for people: what, where, and what was expected
    std::optional<limit> hit = {}; ///< the limit that it is over
};

} // namespace trackd::intake
