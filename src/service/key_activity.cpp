#include "service/key_activity.hpp"

namespace trackd::service {

std::vector<admin::key_activity> list_keys(const intake::key_ring* ring) {
    std::vector<admin::key_activity> all;
    if (ring == nullptr) return all;
    for (const auto& key : ring->keys()) {
        admin::key_activity activity{key->name(), {}};
        for (std::size_t i = 0; i < key->hash_uses().size(); ++i) {
            const auto& use = *key->hash_uses()[i];
            activity.hashes.push_back({intake::fingerprint(key->options().hashes[i]), use.first(), use.last()}
            );
        }
        all.push_back(std::move(activity));
    }
    return all;
}

} // namespace trackd::service
