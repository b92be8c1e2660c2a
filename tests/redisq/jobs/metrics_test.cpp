#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <weir/redisq/jobs/metrics.hpp>
#include <weir/redisq/jobs/worker.hpp>
#include <weir/runtime/event.hpp>
#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/net/buffered_reader.hpp>
#include <weir/runtime/net/tcp.hpp>
#include <weir/runtime/scope.hpp>

#include "support/run_test.hpp"
#include "support/whole_answer.hpp"

namespace weir::redisq {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(MetricsTest, TheTextHoldsEachFigureWithItsKind) {
    worker_stats now;
    now.done = 12;
    now.running = 3;
    now.has_lease = true;
    const std::string text = metrics_text(now);
    EXPECT_THAT(text, HasSubstr("# TYPE weir_worker_done_total counter\n"
                                "weir_worker_done_total 12\n"));
    EXPECT_THAT(text, HasSubstr("# TYPE weir_worker_running gauge\nweir_worker_running 3\n"));
    EXPECT_THAT(text, HasSubstr("\nweir_worker_has_lease 1\n"));
    EXPECT_THAT(text, Not(HasSubstr("{")));
}

TEST(MetricsTest, ALabelStandsAtEachAndMustBeSound) {
    EXPECT_THAT(metrics_text(worker_stats(), "a b"),
                HasSubstr("\nweir_worker_done_total{worker=\"a b\"} 0\n"));
    for (const std::string bad : {"a\"b", "a\\b", "a\nb", "\xff"}) {
        EXPECT_THROW(static_cast<void>(metrics_text(worker_stats(), bad)), std::invalid_argument);
    }
    EXPECT_THROW(static_cast<void>(metrics_text(worker_stats(), std::string(65, 'x'))),
                 std::invalid_argument);
}

// ref: lives in the test.
task<> ask_in_turn(scope& s, std::string& good, std::string& missing, std::string& wrong) {
    const worker w("unix:///nowhere");
    event ready;
    metrics_options options;
    options.address = socket_address::loopback_ipv4(0);
    options.label = "one";
    options.on_listening = [&options, &ready](const socket_address& where) {
        options.address = where;
        ready.set();
    };
    s.spawn(serve_metrics(w, options));
    co_await ready.wait();
    good = co_await test::whole_answer(options.address, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    missing = co_await test::whole_answer(options.address, "GET / HTTP/1.1\r\n\r\n");
    wrong = co_await test::whole_answer(options.address, "POST /metrics HTTP/1.1\r\n\r\n");
    s.request_stop();
    co_await s.join();
}

task<> ask_all(std::string& good, std::string& missing, std::string& wrong) {  // ref: as above
    scope s;
    co_await ask_in_turn(s, good, missing, wrong);
}

TEST(MetricsTest, TheServerAnswersUntilItIsStopped) {
    std::string good;
    std::string missing;
    std::string wrong;
    event_loop loop;
    loop.run(ask_all(good, missing, wrong));
    EXPECT_THAT(good, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(good, HasSubstr("\nweir_worker_has_lease{worker=\"one\"} 0\n"));
    EXPECT_THAT(missing, StartsWith("HTTP/1.1 404 "));
    EXPECT_THAT(wrong, StartsWith("HTTP/1.1 405 "));
}

// ref: the caller awaits at once.
task<> ask_behind_the_idle(scope& s, test::virtual_loop& virtual_time) {
    const worker w("unix:///nowhere");
    event ready;
    metrics_options options;
    options.address = socket_address::loopback_ipv4(0);
    options.on_listening = [&options, &ready](const socket_address& where) {
        options.address = where;
        ready.set();
    };
    s.spawn(serve_metrics(w, options));
    co_await ready.wait();
    std::vector<tcp_stream> idle;
    for (int i = 0; i < 15; ++i) {
        auto peer = co_await tcp_stream::connect(options.address);
        idle.push_back(std::move(peer.value()));
    }
    // No time passes.
    const std::string heard =
        co_await test::whole_answer(options.address, "GET /metrics HTTP/1.1\r\n\r\n");
    EXPECT_THAT(heard, StartsWith("HTTP/1.1 200 OK\r\n"));
    virtual_time.clock().advance(std::chrono::seconds(1));
    std::array<std::byte, 16> part;
    for (tcp_stream& peer : idle) {
        EXPECT_EQ((co_await peer.read_some(part)).value_or(1), 0U);
    }
    s.request_stop();
    co_await s.join();
}

task<> fill_with_idle_peers(test::virtual_loop& virtual_time) {  // ref: as above
    scope s;
    co_await ask_behind_the_idle(s, virtual_time);
}

TEST(MetricsTest, PeersThatSayNothingKeepNobodyWaiting) {
    test::virtual_loop virtual_time;
    virtual_time.clock().set_auto_advance(false);
    virtual_time.run(fill_with_idle_peers(virtual_time));
}

// ref: lives in the test.
task<> serve_twice(metrics_options& options) {
    const worker w("unix:///nowhere");
    const auto taken = tcp_listener::listen(socket_address::loopback_ipv4(0));
    options.address = taken.value().local_address().value();
    co_await serve_metrics(w, options);
}

TEST(MetricsTest, AnAddressThatIsTakenIsAnErrorThatNamesIt) {
    metrics_options options;
    event_loop loop;
    try {
        loop.run(serve_twice(options));
        FAIL() << "it listens twice";
    } catch (const std::system_error& problem) {
        EXPECT_EQ(problem.code(), std::errc::address_in_use);
        EXPECT_THAT(problem.what(), HasSubstr(options.address.to_string()));
    }
}

}  // namespace
}  // namespace weir::redisq
