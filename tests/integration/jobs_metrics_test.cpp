// worker::run_until_signal(): the metrics that it serves beside the jobs, and how it ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <string>
#include <thread>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <weir/redisq/jobs/worker.hpp>
#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/net/address.hpp>

#include "support/io.hpp"
#include "support/jobs.hpp"
#include "support/redis_server.hpp"
#include "support/whole_answer.hpp"

namespace weir::redisq {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const job_type<std::string, std::string, raw_payload> echo("echo");

class JobMetricsTest : public testing::Test {
  protected:
    void SetUp() override {
        WEIR_NEEDS_REDIS();
        sigset_t mask;
        sigemptyset(&mask);
        sigaddset(&mask, SIGTERM);
        pthread_sigmask(SIG_BLOCK, &mask, &before_);
    }
    void TearDown() override { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

    sigset_t before_{};
};

constexpr const char* get_metrics = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";

// Asks until it hears of five jobs and a lease in each thread, then ends the worker as a supervisor
// does.
std::string watch(std::uint16_t port) {
    std::string heard;
    const auto knows = [&heard, port] {
        event_loop loop;
        heard = loop.run(test::whole_answer(socket_address::loopback_ipv4(port), get_metrics));
        return heard.find("weir_worker_done_total{worker=\"one\"} 5\n") != std::string::npos &&
               heard.find("weir_worker_has_lease{worker=\"one\"} 1\n") != std::string::npos;
    };
    EXPECT_TRUE(test::becomes_true(knows)) << heard;
    ::kill(::getpid(), SIGTERM);
    return heard;
}

TEST_F(JobMetricsTest, AreServedWhileItRunsUntilASignal) {
    test::redis_server server;
    for (const std::size_t threads : {1U, 2U}) {
        event_loop loop;
        loop.run(test::submit_texts(server.url(), echo, 5));
        worker_options options = test::quick_worker(5);
        options.label = "one";
        options.metrics_port = test::free_port();
        worker w(server.url(), options);
        w.on(echo, [](std::string text) { return text; });
        std::string heard;
        std::thread watcher([&heard, &options] { heard = watch(options.metrics_port); });
        EXPECT_EQ(w.run_until_signal(threads), 0);
        watcher.join();
        EXPECT_THAT(heard, StartsWith("HTTP/1.1 200 OK\r\n"));
        EXPECT_THAT(heard, HasSubstr("\nweir_worker_has_lease{worker=\"one\"} 1\n"));
        EXPECT_EQ(w.stats().done, 5U);
    }
}

TEST_F(JobMetricsTest, APortThatIsTakenIsAnErrorThatNamesIt) {
    test::redis_server server;
    worker_options options = test::quick_worker(5);
    const test::descriptor taken(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const raw = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(::bind(taken.get(), raw, size), 0);
    ASSERT_EQ(::listen(taken.get(), 1), 0);
    ASSERT_EQ(::getsockname(taken.get(), raw, &size), 0);
    options.metrics_port = ntohs(address.sin_port);
    worker w(server.url(), options);
    for (const std::size_t threads : {1U, 2U}) {
        testing::internal::CaptureStderr();
        EXPECT_EQ(w.run_until_signal(threads), 1);
        EXPECT_THAT(testing::internal::GetCapturedStderr(),
                    HasSubstr("metrics at 127.0.0.1:" + std::to_string(options.metrics_port)));
    }
}

// Each thread fails by itself; nothing is left that would end the process later.
TEST_F(JobMetricsTest, AWorkerThatFailsInAllItsThreadsSaysWhy) {
    test::redis_server server(test::redis_settings().line("requirepass right"));
    worker w("unix://:wrong@" + server.socket(), test::quick_worker(5));
    w.on(echo, [](std::string text) { return text; });
    testing::internal::CaptureStderr();
    EXPECT_EQ(w.run_until_signal(4), 1);
    EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("WRONGPASS"));
    sigset_t left;
    ASSERT_EQ(sigpending(&left), 0);
    EXPECT_EQ(sigismember(&left, SIGTERM), 0);
}

}  // namespace
}  // namespace weir::redisq
