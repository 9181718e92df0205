#include "intake/rejection_recorder.hpp"

#include "base/log.hpp"
#include "intake/text.hpp"

#include <utility>

namespace trackd::intake {

void rejection_recorder::record(const http::request& req, const key* caller, const rejected_calls& rejected) {
    if (rejected.empty()) return;
    for (const auto& call : rejected.calls()) {
        counts_.rejected_calls.add(fault_of(call.reason));
        if (call.reason.hit) counts_.limits.add(*call.reason.hit);
    }
    constexpr std::chrono::seconds between_lines{10};
    const auto now = clock::now();
    if (now < next_line_) {
        unlogged_ += rejected.size();
        return;
    }
    next_line_ = now + between_lines;
    base::log().warn(
        "intake: rejected {} call(s) of a batch, path={} key={} reason={}: {}; {} rejected calls before were "
        "not "
        "logged",
        rejected.size(), quoted(req.path), quoted(caller == nullptr ? "none" : caller->name()),
        to_string(fault_of(rejected.calls().front().reason)), describe(rejected.calls().front()),
        std::exchange(unlogged_, 0)
    );
}

} // namespace trackd::intake
