#include "http/router.hpp"
#include "intake/key_guard.hpp"
#include "support/catch.hpp"
#include "support/manual_clock.hpp"

#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace trackd::intake;
namespace http = trackd::http;

namespace {

key_options options(std::string name) {
    key_options one;
    one.hashes = {trackd::base::sha256("key-of-" + name)};
    one.name = std::move(name);
    return one;
}

struct fixture {
    void replace(std::vector<key_options> keys) { shared.replace(std::move(keys), time); }

    /// Whether a request with these fields is let in, and by which status it is not.
    unsigned
    ask(std::initializer_list<http::request::header_field> fields, std::optional<std::uint64_t> bytes = 0,
        http::access wanted = http::access::known) {
        req.headers = fields;
        req.caller.reset();
        res.clear();
        if (!guard.is_on()) return 0;
        const bool in = guard.admit_head(req, bytes, wanted, res);
        CHECK(in == (res.code == http::status::ok));
        return in ? 0 : static_cast<unsigned>(res.code);
    }

    bool says(std::string_view text) const {
        return res.body.find(text) != std::string::npos || res.headers.find(text) != std::string::npos;
    }

    std::string caller() const { return caller_of(req) ? caller_of(req)->name() : "nobody"; }

    trackd::test::manual_clock time;
    shared_key_ring shared;
    limit_counters limits;
    key_guard guard{shared, limits};
    http::request req;
    http::response res;
};

const http::request::header_field web{http::field::authorization, "Authorization", "Bearer key-of-web"};
const http::request::header_field wrong{http::field::authorization, "Authorization", "Bearer key-of-others"};

const http::request::header_field wrong_basic{
    http::field::authorization, "Authorization", "Basic b3RoZXJzOg=="
};

} // namespace

TEST_CASE("without keys the guard is off, and it notices when there are some", "[intake][keys]") {
    fixture f;
    CHECK_FALSE(f.guard.is_on());
    f.replace({options("web")});
    CHECK(f.guard.is_on());
    f.replace({});
    CHECK_FALSE(f.guard.is_on());
}

TEST_CASE("who has a key is let in by its name", "[intake][keys]") {
    fixture f;
    f.replace({options("shop"), options("web")});
    CHECK(f.ask({web}) == 0);
    CHECK(f.caller() == "web");
}

TEST_CASE("without a key, or with a wrong one, the answer is 401", "[intake][keys]") {
    fixture f;
    f.replace({options("web")});
    CHECK(f.ask({}) == 401);
    CHECK(f.says("problem:unauthorized"));
    CHECK(f.says("Bearer KEY"));
    CHECK(f.says("WWW-Authenticate: Bearer realm=\"trackd\"\r\n"));
    CHECK(f.ask({wrong}) == 401);
    CHECK(f.says("problem:unauthorized"));
    CHECK_FALSE(f.says("key-of"));
    CHECK(f.caller() == "nobody");
}

TEST_CASE("a key that was removed is not let in any more", "[intake][keys]") {
    fixture f;
    f.replace({options("web"), options("shop")});
    CHECK(f.ask({web}) == 0);
    f.replace({options("shop")});
    CHECK(f.ask({web}) == 401);
}

TEST_CASE("each of many keys is its own, however often it was shown", "[intake][keys]") {
    fixture f;
    std::vector<std::string> names;
    std::vector<key_options> keys;
    for (int i = 0; i < 20; ++i)
        keys.push_back(options(names.emplace_back("k" + std::to_string(i))));
    f.replace(keys);
    for (int round = 0; round < 3; ++round)
        for (const auto& name : names)
            for (int again = 0; again < 2; ++again) {
                const auto shown = "Bearer key-of-" + name;
                CHECK(f.ask({{http::field::authorization, "Authorization", shown}}) == 0);
                CHECK(f.caller() == name);
                const auto longer = shown + "x";
                CHECK(f.ask({{http::field::authorization, "Authorization", longer}}) == 401);
            }
}

TEST_CASE("a key that is told to another name goes by that one at once", "[intake][keys]") {
    fixture f;
    f.replace({options("web")});
    CHECK(f.ask({web}) == 0);
    auto renamed = options("web");
    renamed.name = "site";
    f.replace({renamed});
    CHECK(f.ask({web}) == 0);
    CHECK(f.caller() == "site");
}

TEST_CASE("bytes over the rate are answered 429, and later let in", "[intake][keys]") {
    fixture f;
    auto one = options("web");
    one.bytes_per_second = 1000;
    f.replace({one});
    CHECK(f.ask({web}, 600) == 0);
    CHECK(f.ask({web}, 600) == 429);
    CHECK(f.says("problem:rate-limited"));
    CHECK(f.says("Retry-After: 1\r\n"));
    CHECK(f.says("X-RateLimit-Reset: 1\r\n"));
    CHECK(f.says("1000 bytes a second"));
    CHECK(f.caller() == "nobody");
    f.time.advance(200ms);
    CHECK(f.ask({web}, 600) == 0);
}

TEST_CASE("a body without a size is charged afterwards, and a debt is not made larger", "[intake][keys]") {
    fixture f;
    auto one = options("web");
    one.bytes_per_second = 10;
    f.replace({one});
    const std::string body(25, 'x');
    CHECK(f.ask({web}, std::nullopt) == 0);
    f.req.body = body;
    CHECK(f.guard.admit_body(f.req, f.res));
    CHECK(f.ask({web}, std::nullopt) == 429);
    CHECK(f.says("Retry-After: 2\r\n"));
    f.time.advance(1500ms);
    CHECK(f.ask({web}, std::nullopt) == 0);
    f.req.body = body;
    CHECK_FALSE(f.guard.admit_body(f.req, f.res));
    CHECK(f.res.code == http::status::too_many_requests);
}

TEST_CASE("a page of another origin is answered 403", "[intake][keys]") {
    fixture f;
    auto one = options("web");
    one.origins = {"https://shop.example"};
    one.bytes_per_second = 1;
    f.replace({one});
    const http::request::header_field other{http::field::origin, "Origin", "https://evil.example"};
    const http::request::header_field own{http::field::origin, "Origin", "https://shop.example"};
    CHECK(f.ask({web, other}, 1) == 403);
    CHECK(f.says("problem:origin-not-allowed"));
    CHECK(f.ask({web, own}, 1) == 0); // nothing was charged for the other
}

TEST_CASE("a bearer's token that is no key leaves it to a late key to say who it is", "[intake][keys]") {
    fixture f;
    f.replace({options("web")});
    CHECK(f.ask({wrong}, 4, http::access::late) == 0);
    CHECK(f.caller() == "nobody");
    CHECK(f.ask({wrong}, 513 << 10, http::access::late) == 413); // as from all who are not known yet
    CHECK(f.ask({wrong}, 4) == 401);
    CHECK(f.ask({web}, 4, http::access::late) == 0);
    CHECK(f.caller() == "web");
}

TEST_CASE("a late key is found by its text, and its body charged then", "[intake][keys]") {
    fixture f;
    std::shared_ptr<const key> caller;
    CHECK(f.guard.admit_text("", f.req, f.res, caller)); // no keys: nobody is kept out
    CHECK(caller == nullptr);
    auto one = options("web");
    one.bytes_per_second = 4;
    f.replace({one});
    CHECK(f.ask({}, 4, http::access::late) == 0);
    CHECK(f.caller() == "nobody");
    CHECK(f.ask({wrong_basic}, 4, http::access::late) == 401);
    f.req.body = "body";
    f.res.clear();
    CHECK(f.guard.admit_text("key-of-web", f.req, f.res, caller));
    REQUIRE(caller);
    CHECK(caller->name() == "web");
    CHECK_FALSE(f.guard.admit_text("key-of-web", f.req, f.res, caller));
    CHECK(f.res.code == http::status::too_many_requests);
    CHECK_FALSE(f.guard.admit_text("key-of-others", f.req, f.res, caller));
    CHECK(f.res.code == http::status::unauthorized);
    CHECK_FALSE(f.guard.admit_text("", f.req, f.res, caller));
    CHECK(f.res.code == http::status::unauthorized);
    const std::string long_body((512 << 10) + 1, 'x');
    f.req.body = long_body; // which came without its size
    CHECK_FALSE(f.guard.admit_text("key-of-web", f.req, f.res, caller));
    CHECK(f.res.code == http::status::payload_too_large);
}

TEST_CASE("each request that shows a key is a use of its hash, also one that is refused", "[intake][keys]") {
    using namespace std::chrono;
    fixture f;
    auto one = options("web");
    one.hashes.push_back(trackd::base::sha256("new-key"));
    one.origins = {"https://shop.example"};
    one.bytes_per_second = 1;
    f.replace({one});
    const auto& uses = f.shared.get()->keys().front()->hash_uses();
    const trackd::wall_time noon = sys_days{2026y / 11 / 21} + 12h;
    const auto ask_at = [&](trackd::wall_time time,
                            std::initializer_list<http::request::header_field> fields) {
        f.req.received_at = time;
        return f.ask(fields, 5);
    };

    CHECK(ask_at(noon, {wrong}) == 401);
    CHECK_FALSE(uses[0]->first());
    CHECK(ask_at(noon + 1s, {web}) == 0);
    CHECK(ask_at(noon + 2s, {web}) == 429);
    CHECK(ask_at(noon + 3s, {web, {http::field::origin, "Origin", "https://evil.example"}}) == 403);
    CHECK(uses[0]->first() == noon + 1s);
    CHECK(uses[0]->last() == noon + 3s);
    CHECK_FALSE(uses[1]->first());

    f.req.headers.clear();
    f.req.received_at = noon + 4s; // as a key in the body is found
    std::shared_ptr<const key> caller;
    CHECK_FALSE(f.guard.admit_text("new-key", f.req, f.res, caller));
    CHECK(f.res.code == http::status::too_many_requests);
    CHECK(uses[0]->last() == noon + 3s);
    CHECK(uses[1]->first() == noon + 4s);
}

TEST_CASE("a hash that was removed is refused at once, and the key's other one is not", "[intake][keys]") {
    fixture f;
    auto both = options("web");
    both.hashes.push_back(trackd::base::sha256("key-of-others"));
    f.replace({both});
    for (int again = 0; again < 2; ++again) {
        CHECK(f.ask({web}) == 0);
        CHECK(f.ask({wrong}) == 0);
        CHECK(f.caller() == "web");
    }
    f.replace({options("web")});
    CHECK(f.ask({wrong}) == 401);
    CHECK(f.ask({web}) == 0);
    f.replace({both});
    CHECK(f.ask({wrong}) == 0);
}
