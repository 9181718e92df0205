// What no option alone can be blamed for: values that do not go together.
#pragma once

#include "config/problems.hpp"
#include "config/read.hpp"

namespace trackd::config {

/// Puts `data_dir` into the sinks' paths, and reports what contradicts itself.
void finish(reading& all, problems& found);

} // namespace trackd::config
