// All live tails: how batches come to them from the tracker's strand, and how they end.
#include "admin/tails.hpp"
#include "support/catch.hpp"
#include "support/events.hpp"

#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace trackd;
namespace asio = boost::asio;

namespace {

shown_batch shown(std::size_t events) {
    return {std::make_shared<const batch>(test::make_batch(events)), {}};
}

// Whoever looks at one.
struct looker {
    explicit looker(std::unique_ptr<http::body_source> from) : source{std::move(from)} {
        source->begin([this] { ++news; });
        more = source->pull(said);
        said.clear();
    }

    std::string pull() {
        said.clear();
        more = source->pull(said);
        return said;
    }

    std::unique_ptr<http::body_source> source;
    std::string said;
    int news = 0;
    bool more = true;
};

struct tails_fixture {
    void poll() {
        context.restart();
        context.poll();
    }

    asio::io_context context{1};
    admin::tails tails{context.get_executor(), system_clock()};
};

} // namespace

TEST_CASE_METHOD(tails_fixture, "the tracker is looked at while there is a tail", "[tails]") {
    CHECK_FALSE(tails.looks());
    auto one = tails.open({});
    auto other = tails.open({});
    CHECK(tails.looks());
    one.reset();
    CHECK(tails.looks());
    other.reset();
    CHECK_FALSE(tails.looks());
    context.restart();
    CHECK(context.run() < 5); // nothing keeps the loop running
}

TEST_CASE_METHOD(tails_fixture, "what another thread shows is news for every tail", "[tails]") {
    looker one{tails.open({})};
    looker other{tails.open({})};
    std::thread{[this] { tails.show(shown(3)); }}.join();
    CHECK(one.news == 0);
    poll();
    CHECK(one.news == 1);
    CHECK(other.news == 1);
    CHECK(one.pull().find(R"("id":"3")") != std::string::npos);
    CHECK(one.more);
}

TEST_CASE_METHOD(
    tails_fixture, "what comes faster than it is looked at is counted, and not kept", "[tails]"
) {
    looker one{tails.open({})};
    batch large;
    auto event = test::make_event("1");
    const std::string data(1U << 20U, 'x');
    event.kind = data_kind::text;
    event.data = data;
    large.append(event);
    const auto kept = std::make_shared<const batch>(std::move(large));
    for (int i = 0; i < 100; ++i)
        tails.show({kept, {}});
    CHECK(kept.use_count() <= 6); // four megabytes, and what goes beyond
    poll();
    CHECK(kept.use_count() == 1);
    tails.end("enough");
    CHECK(one.pull().find("event: skipped\ndata: {\"events\":96}") != std::string::npos);
}

TEST_CASE_METHOD(tails_fixture, "in one turn of the thread only so much is looked at", "[tails]") {
    looker one{tails.open({})};
    const auto large = shown(1000);
    for (int i = 0; i < 5; ++i)
        tails.show(large);
    CHECK(large.events.use_count() == 1 + 5);
    context.restart();
    context.poll_one();
    CHECK(large.events.use_count() == 1 + 3);
    tails.show(large); // and what comes meanwhile is after the others
    context.poll();
    CHECK(large.events.use_count() == 1);
    one.pull();
    tails.end("enough");
    CHECK(one.pull().find("event: skipped\ndata: {\"events\":5900}") != std::string::npos); // the rate is 100
}

TEST_CASE_METHOD(tails_fixture, "there are so many tails at a time, and no more", "[tails]") {
    std::vector<std::unique_ptr<http::body_source>> open;
    for (std::size_t i = 0; i < admin::tails::most; ++i)
        REQUIRE(open.emplace_back(tails.open({})));
    CHECK_FALSE(tails.open({}));
    open.pop_back();
    CHECK(tails.open({}));
}

TEST_CASE_METHOD(tails_fixture, "all that are open can be ended, and others opened after them", "[tails]") {
    looker one{tails.open({})};
    tails.show(shown(1));
    tails.end_open("admin.token has changed");
    tails.show(shown(2));
    poll();
    CHECK(one.news == 2); // the event, and the end
    const auto said = one.pull();
    CHECK_FALSE(one.more);
    CHECK(said.find(R"("id":"1")") < said.find("event: end\ndata: {\"reason\":\"admin.token has changed\"}"));
    CHECK(said.ends_with("has changed\"}\n\n")); // and nothing that came after it
    looker next{tails.open({})};
    CHECK(next.more);
    tails.show(shown(1));
    poll();
    CHECK(next.pull().find(R"("id":"1")") != std::string::npos);
}

TEST_CASE_METHOD(tails_fixture, "the end comes after what was shown before it, and says why", "[tails]") {
    looker one{tails.open({})};
    tails.show(shown(1));
    tails.end("SIGTERM");
    CHECK(one.news > 0);
    const auto said = one.pull();
    CHECK_FALSE(one.more);
    CHECK(said.find(R"("id":"1")") < said.find("event: end\ndata: {\"reason\":\"SIGTERM\"}"));
    CHECK_FALSE(tails.looks());
    looker late{tails.open({})};
    CHECK_FALSE(late.more);
    CHECK_FALSE(tails.looks());
}
