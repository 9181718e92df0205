// The daemon's own log, read instead of shown.
#pragma once

#include "base/log.hpp"

#include <spdlog/sinks/ostream_sink.h>

#include <cstddef>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace trackd::test {

/// While it lives, lines go here. Made and destroyed while no other thread logs; read while none does.
class captured_log {
public:
    captured_log() {
        const auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(text_);
        sink->set_pattern("%l %v");
        base::log().sinks() = {sink};
    }

    ~captured_log() { base::log().sinks() = before_; }

    captured_log(const captured_log&) = delete;
    captured_log& operator=(const captured_log&) = delete;

    /// Those that have this in them, each with its level in front: `warning …`.
    [[nodiscard]] std::vector<std::string> lines(std::string_view part = {}) const {
        std::vector<std::string> found;
        std::istringstream all{text_.str()};
        for (std::string line; std::getline(all, line);)
            if (line.find(part) != line.npos) found.push_back(line);
        return found;
    }

private:
    std::vector<spdlog::sink_ptr> before_ = base::log().sinks();
    std::ostringstream text_;
};

} // namespace trackd::test
