// Loading a configuration out of a test's own text.
#pragma once

#include "config/load.hpp"

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <stdlib.h>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trackd::config::test {

/// A file that is gone with its object. Its path has no colon, so that an error's line begins with it.
class temporary_file {
public:
    explicit temporary_file(std::string_view text) {
        auto name = (std::filesystem::temp_directory_path() / "trackd-config-XXXXXX").string();
        if (!::mkdtemp(name.data())) throw std::runtime_error{"no temporary directory"};
        directory_ = name;
        std::ofstream{path()} << text;
    }

    ~temporary_file() { std::filesystem::remove_all(directory_); }

    temporary_file(const temporary_file&) = delete;
    temporary_file& operator=(const temporary_file&) = delete;

    [[nodiscard]] std::string path() const { return directory_ / "test.toml"; }

private:
    std::filesystem::path directory_;
};

using variables = std::vector<std::pair<std::string, std::string>>;
using strings = std::vector<std::string>;

inline settings load_text(std::string_view toml, variables environment = {}, strings set = {}) {
    const temporary_file file{toml};
    return load({file.path(), std::move(environment), std::move(set)});
}

inline settings load_set(strings set) {
    return load({{}, {}, std::move(set)});
}

/// The lines of the error that loading gives, with `FILE` for the file. None if it gives none.
inline strings errors(std::string_view toml, variables environment = {}, strings set = {}) {
    const temporary_file file{toml};
    try {
        (void)load({file.path(), std::move(environment), std::move(set)});
        return {};
    } catch (const error& failure) {
        auto lines = failure.lines();
        for (auto& line : lines) {
            if (line.starts_with(file.path())) line.replace(0, file.path().size(), "FILE");
        }
        return lines;
    }
}

/// Of a configuration with exactly one problem.
inline std::string the_error(std::string_view toml, variables environment = {}, strings set = {}) {
    const auto lines = errors(toml, std::move(environment), std::move(set));
    if (lines.size() == 1) return lines.front();
    std::string all = "not one error:";
    for (const auto& line : lines)
        all += '\n' + line;
    return all;
}

} // namespace trackd::config::test
