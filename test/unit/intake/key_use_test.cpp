#include "intake/key_use.hpp"
#include "support/catch.hpp"

#include <string>

using namespace std::chrono;
using namespace trackd::intake;
using trackd::base::sha256;

namespace {

const trackd::wall_time noon = sys_days{2026y / 11 / 21} + 12h;

} // namespace

TEST_CASE("a hash that was never used has no times", "[intake][keys]") {
    const key_use use;
    CHECK_FALSE(use.first());
    CHECK_FALSE(use.last());
}

TEST_CASE("the first use stays and the last one follows, in whole seconds", "[intake][keys]") {
    key_use use;
    use.record(noon + 999ms);
    CHECK(use.first() == noon);
    CHECK(use.last() == noon);
    use.record(noon + 1s);
    use.record(noon + 2h + 1us);
    CHECK(use.first() == noon);
    CHECK(use.last() == noon + 2h);
}

TEST_CASE("a clock that was ahead does not hide later uses", "[intake][keys]") {
    key_use use;
    use.record(noon + 400 * 24h);
    use.record(noon);
    CHECK(use.first() == noon);
    CHECK(use.last() == noon);
    use.record(noon + 5s);
    CHECK(use.first() == noon);
    CHECK(use.last() == noon + 5s);
}

TEST_CASE("a time before 1970 and 1970 itself are times like others", "[intake][keys]") {
    for (const trackd::wall_time time : {trackd::wall_time{}, trackd::wall_time{-1s}}) {
        key_use use;
        use.record(time);
        CHECK(use.first() == time);
        CHECK(use.last() == time);
    }
}

TEST_CASE("so many hashes that no key has are remembered, and no more", "[intake][keys]") {
    key_use_history history;
    const auto held = history.of(sha256("held"));
    held->record(noon);
    history.of(sha256("0"))->record(noon);
    for (std::size_t i = 1; i < key_use_history::max_removed; ++i)
        (void)history.of(sha256(std::to_string(i)));
    history.trim();
    CHECK(history.of(sha256("0"))->first() == noon);
    (void)history.of(sha256("one more"));
    history.trim();
    CHECK_FALSE(history.of(sha256("0"))->first());
    CHECK(history.of(sha256("held")) == held);
}

TEST_CASE("a fingerprint is the beginning of the hash", "[intake][keys]") {
    CHECK(fingerprint(sha256("abc")) == "ba7816bf");
}
