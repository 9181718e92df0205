// What the environment and `--set` lay over the file.
#pragma once

#include "config/expand.hpp"
#include "config/problems.hpp"
#include "config/value.hpp"

#include <span>
#include <string>
#include <string_view>

namespace trackd::config {

/// Lays the variables that are ours over the tree, then what `--set` was given.
/// @param set each `KEY=VALUE`
void overlay(table& root, environment variables, std::span<const std::string> set, problems& found);

/// Whether two sinks' names are the same to those who name them: letters in any case, and `-` for `_`,
/// because an environment variable's name can tell neither.
[[nodiscard]] bool same_name(std::string_view left, std::string_view right) noexcept;

} // namespace trackd::config
