#include "intake/webhook_headers.hpp"

#include "intake/request_fields.hpp"
#include "intake/text.hpp"

namespace trackd::intake {

namespace {

/// Standard Webhooks, Svix, GitHub, Gitea and Forgejo, Gogs, Shopify, Linear, Bitbucket. Not WooCommerce: its
/// X-WC-Webhook-Delivery-ID is the same for all deliveries of one second.
constexpr std::string_view delivery_ids[] = {
    "webhook-id",           "svix-id",         "X-GitHub-Delivery", "X-Gitea-Delivery", "X-Gogs-Delivery",
    "X-Shopify-Webhook-Id", "Linear-Delivery", "X-Request-UUID",
};

/// Of the same, and of WooCommerce and GitLab, whose deliveries have no id that stays.
constexpr std::string_view event_names[] = {
    "X-GitHub-Event",     "X-Gitea-Event", "X-Gogs-Event", "X-Shopify-Topic",
    "X-WC-Webhook-Topic", "Linear-Event",  "X-Event-Key",  "X-Gitlab-Event",
};

} // namespace

std::string_view delivery_id_of(const http::request& req) noexcept {
    for (const auto name : delivery_ids)
        if (const auto id = req.header(name); !id.empty()) return is_idempotency_key(id) ? id : "";
    return {};
}

std::string_view event_name_of(const http::request& req) {
    for (const auto name : event_names) {
        const auto type = req.header(name);
        if (!type.empty()) return kind_of(type) == data_kind::text && !attribute_fault(type) ? type : "";
    }
    return {};
}

} // namespace trackd::intake
