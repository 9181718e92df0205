#include "service/accepted_events.hpp"

#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace trackd::service {

std::vector<admin::accepted_events>
sum_accepted(const std::deque<intake::counters>& threads, const intake::key_numbers& keys) {
    using label = std::pair<std::string, std::string_view>;
    std::map<label, intake::accepted_counters::figures> sums;
    sums.try_emplace({"none", to_string(intake::wire_format::native)});
    for (std::size_t key = 0; key < intake::key_numbers::count; ++key) {
        for (const auto format : intake::all_formats) {
            for (const auto& thread : threads) {
                const auto counted = thread.accepted.of(key, format);
                if (counted.events == 0) continue;
                auto& sum = sums[{keys.name(key), to_string(format)}];
                sum.events += counted.events;
                sum.bytes += counted.bytes;
            }
        }
    }
    std::vector<admin::accepted_events> all;
    for (const auto& [of, sum] : sums)
        all.push_back({of.first, of.second, sum.events, sum.bytes});
    return all;
}

std::vector<admin::call_rejections> sum_rejected_calls(const std::deque<intake::counters>& threads) {
    std::vector<admin::call_rejections> all;
    for (const auto fault : intake::all_call_faults) {
        auto& sum = all.emplace_back(admin::call_rejections{to_string(fault), 0});
        for (const auto& thread : threads)
            sum.calls += thread.rejected_calls.of(fault);
    }
    return all;
}

} // namespace trackd::service
