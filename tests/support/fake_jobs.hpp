// A fake_redis that answers a worker as a Redis with empty queues does.
//
//     test::fake_jobs redis;
//     redis.says["reap"] = [&redis](const test::words&) { return redis.fall_silent(); };
//     worker w(redis.options(), test::quick_worker());
//     redis.run_with(w, with_timeout(20s, until_lost(&w)));
//
// Scripts are known by their names, which it gives as their digests. Reads are not answered but for
// what deliver() has put down.
//
// Thread: one loop's.
#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <weir/redisq/jobs/scripts.hpp>
#include <weir/redisq/jobs/worker.hpp>

#include "support/fake_redis.hpp"
#include "support/jobs.hpp"

namespace weir::test {

class fake_jobs {
  public:
    fake_jobs() { loop_.run(open(*this)); }

    [[nodiscard]] fake_redis& server() noexcept { return *server_; }
    [[nodiscard]] redisq::client_options options() const { return server_->options(); }

    // Runs the worker on it while `body` runs, then stops both.
    void run_with(redisq::worker& w, task<> body) {
        loop_.run(serve_beside(*this, beside_worker(w, std::move(body))));
    }

    // What it says instead, by script or command; nothing for an empty text.
    std::map<std::string, std::function<std::string(const words&)>> says;

    // The next read of this lane, "weir:{q}:s1" say, brings this job.
    void deliver(std::string lane, std::string entry, std::string envelope) {
        deliveries_[std::move(lane)] =
            array_of({bulk(entry), array_of({bulk("j"), bulk(envelope)})});
    }

    // From now on it keeps its answers for itself.
    std::string fall_silent() {
        server_->hold(true);
        return {};
    }
    void forget_and_speak() {
        server_->forget_held();
        server_->hold(false);
    }

    // The script or command that is asked for.
    [[nodiscard]] static const std::string& name_of(const words& command) {
        return command.at(command.at(0) == "EVALSHA" ? 1 : 0);
    }
    // How often it was asked for, of all queues or of one.
    [[nodiscard]] std::size_t count(std::string_view name, std::string_view queue = {}) const {
        return static_cast<std::size_t>(
            std::ranges::count_if(server_->log, [&](const words& command) {
                return name_of(command) == name && names_queue(command, queue);
            }));
    }
    [[nodiscard]] static bool names_queue(const words& command, std::string_view queue) {
        const std::string tag = "{" + std::string(queue) + "}";
        return queue.empty() || std::ranges::any_of(command, [&tag](const std::string& word) {
                   return word.find(tag) != std::string::npos;
               });
    }

    // A heartbeat's, with ids that are to be canceled.
    [[nodiscard]] static std::string beat(const words& ids = {}) {
        std::string all = "*" + std::to_string(5 + ids.size()) + "\r\n";
        all += ":1\r\n" + bulk("1000") + ":0\r\n:0\r\n" + bulk("");
        for (const std::string& id : ids) {
            all += bulk(id);
        }
        return all;
    }

  private:
    // Listeners are made inside a task.
    // ref: outlives the loop, as below.
    static task<> open(fake_jobs& self) {
        self.server_.emplace();
        self.server_->answer = [&self](const words& command) { return self.answer(command); };
        co_return;
    }
    // ref: as above.
    static task<> serve_beside(fake_jobs& self, task<> body) {
        scope s;
        s.spawn(self.server_->run());
        s.spawn(body_then_close(self, std::move(body)));
        co_await s.join();
    }
    // ref: as above.
    static task<> body_then_close(fake_jobs& self, task<> body) {
        std::exception_ptr failure;
        try {
            co_await std::move(body);
        } catch (...) {
            failure = std::current_exception();
        }
        self.server_->forget_held();
        self.server_->go_down();
        if (failure != nullptr) {
            std::rethrow_exception(failure);
        }
    }

    std::string answer(const words& command) {
        const std::string& name = name_of(command);
        if (const auto own = says.find(name); own != says.end()) {
            const auto say = own->second;  // which may replace itself
            return say(command);
        }
        if (name == "SCRIPT") {
            return bulk(
                std::ranges::find(redisq::job_scripts(), command.at(2), &redisq::job_script::text)
                    ->name);
        }
        return name == "XREADGROUP" ? read(command) : usual(name, command);
    }

    std::string usual(const std::string& name, const words& command) {
        static const std::map<std::string, std::string, std::less<>> answers = {
            {"join", array_of({bulk("1000")})},
            {"beat", beat()},
            {"reap", array_of({":0\r\n"})},
            {"promote", array_of({":0\r\n", bulk(""), bulk("1000")})},
            {"recall", "*0\r\n"},
            {"leave", ":0\r\n"},
            {"settle", ":1\r\n"},
            {"cancel", bulk("unknown")},
            {"XPENDING", "*0\r\n"},
            {"XRANGE", "*0\r\n"},
            {"HGET", "_\r\n"},
            {"XDEL", ":1\r\n"},
            {"XACK", ":1\r\n"},
            {"INFO", bulk("")},
        };
        const auto known = answers.find(name);
        return known != answers.end() ? known->second : server_->usual(command);
    }

    std::string read(const words& command) {
        std::string streams;
        std::size_t count = 0;
        for (const std::string& word : command) {
            if (const auto found = deliveries_.find(word); found != deliveries_.end()) {
                streams += array_of({bulk(word), array_of({found->second})});
                deliveries_.erase(found);
                ++count;
            }
        }
        return count == 0 ? std::string() : "*" + std::to_string(count) + "\r\n" + streams;
    }

    event_loop loop_;
    std::optional<fake_redis> server_;
    std::map<std::string, std::string> deliveries_;
};

}  // namespace weir::test
