// A sink that forgets everything: for measuring what all the rest costs.
#pragma once

#include <trackd/sink.hpp>

#include <memory>

namespace trackd::sinks {

[[nodiscard]] std::unique_ptr<sink> make_null_sink();

} // namespace trackd::sinks
