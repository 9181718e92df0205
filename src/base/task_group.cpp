#include "base/task_group.hpp"

#include "base/json_text.hpp"
#include "base/log.hpp"

namespace trackd::base {

void log_failed_task(const std::string& name, std::exception_ptr why) noexcept {
    try {
        std::rethrow_exception(std::move(why));
    } catch (const std::exception& failure) {
        std::string text;
        append_json_string(text, failure.what());
        log().error("{} ended by an exception: {}", name, text);
    } catch (...) {
        log().error("{} ended by an unknown exception", name);
    }
}

} // namespace trackd::base
