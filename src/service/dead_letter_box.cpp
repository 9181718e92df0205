#include "service/dead_letter_box.hpp"

#include "service/directories.hpp"
#include "sinks/file_calls.hpp"

#include <stdexcept>

namespace trackd::service {

namespace {

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
    return dead_letter_directory(settings) / (sink + ".jsonl");
}

dead_letter_box::dead_letter_box(const config::settings& settings)
    : lock_{made_directory(settings), "dead letters"} {
    for (const auto& sink : settings.sinks) {
        try {
            files_[sink.name] = std::make_shared<sinks::dead_letter_file>(
                std::filesystem::absolute(dead_letter_path(settings, sink.name)),
                settings.dead_letters.max_bytes
            );
        } catch (const std::exception& why) {
            throw std::runtime_error{"sink " + sink.name + ": its dead letters: " + why.what()};
        }
    }
}

std::shared_ptr<sinks::dead_letter_file> dead_letter_box::of(const std::string& sink) const {
    const auto found = files_.find(sink);
    return found == files_.end() ? nullptr : found->second;
}

} // namespace trackd::service
