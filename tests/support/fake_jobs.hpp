// A fake_redis that answers a worker as a Redis with empty queues does.
//
//     test::fake_jobs redis;
//     redis.says["reap"] = [&redis](const test::words&) { return redis.fall_silent(); };
//     worker w(redis.options(), test::quick_worker());
//     redis.run_with(w, with_timeout(20s, until_lost(&w)));
//
// Scripts are known by their names, which it gives as their digests. A read that waits is answered
// when there is what deliver() has put down; of a worker that reads with one window, in turn.
//
// Lifetime: not longer than the loop, where it is given one. Thread: that loop's.
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
#include <weir/runtime/event_loop.hpp>

#include "support/fake_redis.hpp"
#include "support/jobs.hpp"

namespace weir::test {

class fake_jobs {
  public:
    fake_jobs() : fake_jobs(nullptr) {}
    // On a loop of the test's, such as one of virtual time.
    explicit fake_jobs(event_loop& loop) : fake_jobs(&loop) {}

    [[nodiscard]] fake_redis& server() noexcept { return *server_; }
    [[nodiscard]] redisq::client_options options() const { return server_->options(); }

    // Runs the worker on it while `body` runs, then stops both.
    void run_with(redisq::worker& w, task<> body) { run(beside_worker(w, std::move(body))); }
    // The same for what needs no worker.
    void run(task<> body) { loop_->run(serve_beside(*this, std::move(body))); }

    // What it says instead, by script or command; nothing for an empty text.
    std::map<std::string, std::function<std::string(const words&)>> says;

    // The read of this lane that waits, "weir:{q}:s1" say, or the next one brings this job.
    void deliver(const std::string& lane, std::string_view entry, std::string_view envelope) {
        deliveries_[lane].push_back(array_of({bulk(entry), array_of({bulk("j"), bulk(envelope)})}));
        if (const auto reader = readers_.find(lane); reader != readers_.end()) {
            const fake_redis::caller to = reader->second;
            std::erase_if(readers_, [to](const auto& each) { return each.second == to; });
            server_->say_to(to, found_by({lane}));
        }
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
    [[nodiscard]] static std::string name_of(const words& command) {
        return command.at(0) == "EVALSHA" ? command.at(1)
               : command.at(0) == "EVAL"  ? digest_of(command.at(1))
                                          : command.at(0);
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
    explicit fake_jobs(event_loop* loop) : loop_(loop) {
        if (loop_ == nullptr) {
            loop_ = &own_loop_.emplace();
        }
        loop_->run(open(*this));
    }
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
        const std::string name = name_of(command);
        if (const auto own = says.find(name); own != says.end()) {
            const auto say = own->second;  // which may replace itself
            return say(command);
        }
        if (name == "SCRIPT") {
            return bulk(digest_of(command.at(2)));
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
            {"retry", array_of({":1\r\n", ":0\r\n"})},
            {"rate", array_of({":1\r\n", ":0\r\n"})},
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

    static std::string digest_of(const std::string& text) {
        return std::string(
            std::ranges::find(redisq::job_scripts(), text, &redisq::job_script::text)->name);
    }

    std::string read(const words& command) {
        std::string found = found_by(command);
        if (!found.empty()) {
            return found;
        }
        if (std::ranges::find(command, "BLOCK") == command.end()) {
            return "_\r\n";
        }
        for (const std::string& word : command) {
            readers_[word] = server_->asking();
        }
        return {};
    }

    // Empty where there is nothing.
    std::string found_by(const words& command) {
        std::string streams;
        std::size_t count = 0;
        for (const std::string& word : command) {
            if (const auto found = deliveries_.find(word); found != deliveries_.end()) {
                std::string jobs = "*" + std::to_string(found->second.size()) + "\r\n";
                for (const std::string& job : found->second) {
                    jobs += job;
                }
                streams += array_of({bulk(word), jobs});
                deliveries_.erase(found);
                ++count;
            }
        }
        return count == 0 ? std::string() : "*" + std::to_string(count) + "\r\n" + streams;
    }

    std::optional<event_loop> own_loop_;
    event_loop* loop_;
    std::optional<fake_redis> server_;
    std::map<std::string, words> deliveries_;
    std::map<std::string, fake_redis::caller> readers_;  // by what they wait for
};

}  // namespace weir::test
