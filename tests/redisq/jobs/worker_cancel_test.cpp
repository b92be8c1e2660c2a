// Cancels that meet a job on its way out, on a server that says what the test wants.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include <weir/redisq/jobs/envelope.hpp>
#include <weir/redisq/jobs/worker.hpp>
#include <weir/runtime/event.hpp>
#include <weir/runtime/sleep.hpp>
#include <weir/runtime/with_timeout.hpp>

#include "support/fake_jobs.hpp"
#include "support/jobs.hpp"

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;
using test::fake_jobs;
using test::quick_worker;
using test::words;

const job_type<std::string, std::string, raw_payload> echo("echo");

// A job whose result is kept.
std::string kept_job(std::string_view payload) {
    std::string bytes;
    envelope job;
    job.type = "echo";
    job.result_ms = 60'000;
    job.payload = payload;
    write_envelope(bytes, job);
    return bytes;
}

// One that has a step more.
std::string chained_job(std::string_view payload) {
    std::string next = "1";
    envelope step;
    step.type = "echo";
    write_envelope(next, step);
    std::string bytes;
    envelope job;
    job.type = "echo";
    job.next = next;
    job.payload = payload;
    write_envelope(bytes, job);
    return bytes;
}

// Of a settle.
const std::string& entry_of(const words& command) { return command.at(10); }
const std::string& record_of(const words& command) { return command.at(12); }
const std::string& next_of(const words& command) { return command.at(18); }

class CancelOnTheWayTest : public testing::Test {
  protected:
    CancelOnTheWayTest() {
        redis_.says["settle"] = [this](const words& command) { return settle(command); };
        // Named until a heartbeat tells that it was heard of.
        redis_.says["beat"] = [this](const words& command) {
            was_heard_ = was_heard_ || command.back() == "2-0.2";
            return is_unwanted_ && !was_heard_ ? fake_jobs::beat({"2-0.2"}) : fake_jobs::beat();
        };
    }

    // A busy server takes no ends.
    std::string settle(const words& command) {
        if (is_busy_) {
            was_busy_.set();
            return "-BUSY Redis is busy\r\n";
        }
        if (entry_of(command) == "2-0") {
            last_ = command;
        }
        return ":1\r\n";
    }

    // ref: outlives the worker, as below.
    static task<std::string> handle(CancelOnTheWayTest& self, std::string text) {
        if (text == "chained") {
            if (self.waits_) {
                co_await self.was_busy_.wait();
            }
            self.is_unwanted_ = true;
        }
        co_return text;
    }
    // ref: as above.
    static task<> until_ended(CancelOnTheWayTest& self, worker* w) {
        while (w->stats().canceled + self.redis_.count("cancel") == 0) {
            co_await sleep_for(1ms);
        }
        self.is_busy_ = false;
        while (self.last_.empty()) {
            co_await sleep_for(1ms);
        }
    }

    // Until the chained job has ended.
    void run() {
        worker w(redis_.options(), quick_worker());
        w.on(echo, [this](std::string text) { return handle(*this, std::move(text)); });
        redis_.run_with(w, with_timeout(10s, until_ended(*this, &w)));
    }

    fake_jobs redis_;
    event was_busy_;
    words last_;
    bool is_busy_ = true;
    bool is_unwanted_ = false;
    bool was_heard_ = false;
    bool waits_ = false;  // the chained job, until another's end was refused
};

TEST_F(CancelOnTheWayTest, AStepWhoseEndIsNotSentYetIsTheLast) {
    waits_ = true;
    redis_.deliver("weir:{default}:s1", "1-0", kept_job("kept"));
    redis_.deliver("weir:{default}:s2", "2-0", chained_job("chained"));
    run();
    EXPECT_EQ(record_of(last_), "c");
    EXPECT_EQ(next_of(last_), "");
    EXPECT_EQ(redis_.count("cancel"), 0U);
    EXPECT_TRUE(was_heard_);
}

TEST_F(CancelOnTheWayTest, TheStepBehindOneWhoseEndIsOnItsWayIsFollowed) {
    redis_.deliver("weir:{default}:s2", "2-0", chained_job("chained"));
    run();
    EXPECT_NE(next_of(last_), "");
    EXPECT_NE(redis_.count("cancel"), 0U);
}

}  // namespace
}  // namespace weir::redisq
