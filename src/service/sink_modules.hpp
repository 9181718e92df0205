// The modules of the sinks that need a library of their own: where their files are, and loading them.
#pragma once

#include "sinks/module.hpp"

#include <filesystem>
#include <string_view>

namespace trackd::service {

/// Where the file belongs, whether it is there or not: `lib/trackd/trackd-KIND.so` beside the folder of this process's
/// executable.
/// @throws std::filesystem::filesystem_error without /proc
[[nodiscard]] std::filesystem::path module_file(std::string_view kind);

/// Whether there is one, as far as this process can see.
[[nodiscard]] bool has_module_file(std::string_view kind) noexcept;

/// Loads a module, unless it is loaded already. It stays until the process ends: the code and the types of its sinks, and
/// of what they throw, are in it.
/// @return its `sinks::sink_module`
/// @throws std::runtime_error saying which file, what is wrong with it, and what was expected
[[nodiscard]] const void* load_module(std::string_view kind);

/// The same, as what it is.
/// @tparam Options those of this kind of sink
template <class Options>
[[nodiscard]] const sinks::sink_module<Options>& module_of(std::string_view kind) {
    return *static_cast<const sinks::sink_module<Options>*>(load_module(kind));
}

} // namespace trackd::service
