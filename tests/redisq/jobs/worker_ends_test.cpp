// How a worker tells the ends of its jobs to a server that says what the test wants.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include <weir/redisq/jobs/envelope.hpp>
#include <weir/redisq/jobs/worker.hpp>
#include <weir/runtime/sleep.hpp>
#include <weir/runtime/with_timeout.hpp>

#include "support/fake_jobs.hpp"
#include "support/jobs.hpp"
#include "support/run_test.hpp"

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;
using test::words;

const job_type<std::string, void, raw_payload> note("note");

// `kept`: with a result, so that a script ends it.
std::string a_note(bool kept) {
    envelope job;
    job.type = "note";
    job.result_ms = kept ? 60'000 : 0;
    std::string bytes;
    write_envelope(bytes, job);
    return bytes;
}

// A worker and its server, on virtual time.
struct crew {
    explicit crew(duration command_timeout = 10s) : w(options(command_timeout), patient()) {
        w.on(note, [](const std::string&) {});
    }

    [[nodiscard]] client_options options(duration command_timeout) const {
        client_options made = jobs.options();
        made.command_timeout = command_timeout;
        return made;
    }
    static worker_options patient() {
        worker_options made = test::quick_worker(10);
        made.heartbeat = 2s;
        made.lease = 6s;
        made.windows = 1;
        return made;
    }
    void deliver(bool kept) {
        jobs.deliver("weir:{default}:s1", "1-" + std::to_string(++delivered), a_note(kept));
    }
    void run(task<> body) { jobs.run_with(w, with_timeout(60s, std::move(body))); }

    test::virtual_loop time;
    test::fake_jobs jobs{time.loop()};
    worker w;
    int delivered = 0;
};

// ref: the caller awaits at once.
task<> wait_for_a_second_flush(crew& all) {
    all.jobs.says["XDEL"] = [&all](const words&) {
        all.jobs.says.clear();
        return all.jobs.fall_silent();
    };
    all.deliver(false);
    while (all.jobs.count("XDEL") < 2) {
        co_await sleep_for(10ms);
    }
    all.jobs.forget_and_speak();
    all.jobs.server().drop();
}

// Neither the client nor the server ends the wait.
TEST(WorkerEndsTest, AnEndThatNobodyAnswersIsToldAgainWhenTheLeaseIsOver) {
    crew all(duration::zero());
    all.run(wait_for_a_second_flush(all));
    EXPECT_EQ(all.w.stats().done, 1U);
    EXPECT_EQ(all.w.stats().lost, 0U);
}

// A server that is taught, and does not know the script for all that; as one that gets what
// belongs to another, which was.
struct forgetful {
    std::string settle(const words& asked) {
        if (asked[0] == "EVAL") {
            ++by_text;
            return ":1\r\n";
        }
        const bool knows = ++by_digest > 50 || is_cured;  // for a test that would never end
        return knows ? ":1\r\n" : "-NOSCRIPT No matching script.\r\n";
    }

    int by_digest = 0;
    int by_text = 0;
    bool is_cured = false;
};

// ref: as above.
task<> end_three(crew& all, forgetful& server) {
    for (const int so_far : {1, 2}) {
        all.deliver(true);
        while (server.by_text < so_far) {
            co_await sleep_for(1ms);
        }
        EXPECT_EQ(server.by_digest, 2);  // the second one brings the text at once
    }
    co_await sleep_for(2s);
    server.is_cured = true;
    all.deliver(true);
    while (server.by_digest < 3) {
        co_await sleep_for(1ms);
    }
}

TEST(WorkerEndsTest, ScriptsThatAServerDoesNotLearnAreSentAsText) {
    crew all;
    forgetful server;
    all.jobs.says["settle"] = [&server](const words& asked) { return server.settle(asked); };
    all.run(end_three(all, server));
    EXPECT_EQ(server.by_text, 2);
    EXPECT_EQ(server.by_digest, 3);
    EXPECT_EQ(all.w.stats().lost, 0U);
}

std::string a_chain() {
    std::string next = "1";
    envelope step;
    step.type = "note";
    write_envelope(next, step);
    std::string bytes;
    envelope job;
    job.type = "note";
    job.next = next;
    write_envelope(bytes, job);
    return bytes;
}

// ref: as above.
task<> wait_for_a_death(crew& all, words& told) {
    all.jobs.says["bury"] = [&told](const words& asked) {
        told = asked;
        return ":1\r\n";
    };
    all.jobs.deliver("weir:{default}:s1", "1-1", a_chain());
    while (told.empty()) {
        co_await sleep_for(10ms);
    }
}

class RefusedStepTest : public testing::TestWithParam<std::string> {};

TEST_P(RefusedStepTest, EndsTheChainWithTheReason) {
    crew all;
    words told;
    all.jobs.says["settle"] = [](const words&) { return "-" + GetParam() + "\r\n"; };
    all.run(wait_for_a_death(all, told));
    EXPECT_TRUE(std::ranges::any_of(told, [](const std::string& word) {
        return word.find("the next step of its chain was refused: " + GetParam()) != word.npos;
    }));
}

INSTANTIATE_TEST_SUITE_P(
    BySinceAndBeforeRedis7, RefusedStepTest,
    testing::Values("WRONGTYPE Operation against a key holding the wrong kind of value",
                    "ERR Error running script (call to f_01): @user_script:4: WRONGTYPE Operation "
                    "against a key holding the wrong kind of value"));

}  // namespace
}  // namespace weir::redisq
