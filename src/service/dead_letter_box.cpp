#include "service/dead_letter_box.hpp"

#include "base/ascii.hpp"
#include "base/log.hpp"
#include "service/directories.hpp"
#include "sinks/file_calls.hpp"

#include <algorithm>
#include <stdexcept>
#include <system_error>

namespace trackd::service {

namespace {

constexpr auto extension = ".jsonl";

std::filesystem::path made_directory(const config::settings& settings) {
    make_directory(settings.data_dir, "data_dir");
    const auto directory = dead_letter_directory(settings);
    make_directory(directory.string(), "dead letters");
    sinks::sync_directory(std::filesystem::absolute(settings.data_dir)
    ); // or a power cut could take it, and what is in it
    return directory;
}

} // namespace

std::filesystem::path dead_letter_directory(const config::settings& settings) {
    return std::filesystem::path{settings.data_dir} / "dead-letters";
}

std::filesystem::path dead_letter_path(const config::settings& settings, const std::string& sink) {
    return dead_letter_directory(settings) / (sink + extension);
}

bool is_configured(const config::settings& settings, const std::string& sink) {
    return std::ranges::find(settings.sinks, sink, &config::sink_settings::name) != settings.sinks.end();
}

std::vector<std::string> sinks_left_behind(const config::settings& settings) {
    std::vector<std::string> names;
    const auto directory = dead_letter_directory(settings);
    if (!std::filesystem::exists(directory)) return names;
    for (const auto& entry : std::filesystem::directory_iterator{directory}) {
        const auto name = entry.path().stem().string();
        if (entry.path().extension() != extension || !std::ranges::all_of(name, base::fits_name) ||
            is_configured(settings, name))
            continue;
        std::error_code gone; // meanwhile
        if (entry.is_regular_file(gone) && entry.file_size(gone) > 0 && !gone) names.push_back(name);
    }
    std::ranges::sort(names);
    return names;
}

dead_letter_box::dead_letter_box(const config::settings& settings)
    : lock_{made_directory(settings), "dead letters"} {
    for (const auto& sink : settings.sinks)
        add(sink.name, settings);
    for (const auto& sink : sinks_left_behind(settings)) {
        try {
            add(sink, settings);
        } catch (const std::exception& why) {
            base::log().warn("{}; it is not configured any more, and they stay as they are", why.what());
        }
    }
}

void dead_letter_box::add(const std::string& sink, const config::settings& settings) {
    try {
        files_[sink] = std::make_shared<sinks::dead_letter_file>(
            std::filesystem::absolute(dead_letter_path(settings, sink)), settings.dead_letters.max_bytes
        );
    } catch (const std::exception& why) {
        throw std::runtime_error{"sink " + sink + ": its dead letters: " + why.what()};
    }
}

std::shared_ptr<sinks::dead_letter_file> dead_letter_box::of(const std::string& sink) const {
    const auto found = files_.find(sink);
    return found == files_.end() ? nullptr : found->second;
}

} // namespace trackd::service
