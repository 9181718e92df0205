#include "admin/key_activity.hpp"

#include "base/rfc3339.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace trackd::admin {

namespace json = boost::json;

namespace {

json::value time_or_null(const std::optional<wall_time>& time) {
    if (!time) return nullptr;
    std::string text;
    base::append_rfc3339(text, *time);
    return json::string{text};
}

json::object hash_page(const key_hash_activity& hash) {
    return {
        {"sha256", hash.sha256},
        {"first_used", time_or_null(hash.first_used)},
        {"last_used", time_or_null(hash.last_used)},
    };
}

} // namespace

json::array keys_page(const std::vector<key_activity>& keys) {
    json::array page;
    for (const auto& key : keys) {
        json::array hashes;
        for (const auto& hash : key.hashes)
            hashes.push_back(hash_page(hash));
        page.push_back(json::object{{"name", key.name}, {"hashes", std::move(hashes)}});
    }
    return page;
}

} // namespace trackd::admin
