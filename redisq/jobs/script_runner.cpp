#include "detail/script_runner.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "../../runtime/event_loop.hpp"
#include "../../runtime/with_timeout.hpp"
#include "../replies.hpp"

namespace weir::redisq::detail {
namespace {

time_point now() { return event_loop::current()->now(); }

// When a call that begins now is out of time; max: never, or when its client says so.
time_point end_of(const call_options& options) {
    return options.timeout > duration::zero() ? saturating_add(now(), options.timeout)
                                              : time_point::max();
}

// What is left of it.
call_options until(time_point deadline, const call_options& options) {
    return deadline == time_point::max() ? options
                                         : options.within(std::max(deadline - now(), duration(1)));
}

}  // namespace

const std::string& script_runner::digest(const job_script& script) const {
    static const std::string none;
    if (digests_.empty()) {
        return none;
    }
    const auto all = job_scripts();
    const auto found = std::ranges::find(all, script.name, &job_script::name);
    return digests_[static_cast<std::size_t>(found - all.begin())];
}

task<result<void>> script_runner::load(call_options options) {
    resp::command_buffer all;
    for (const job_script& script : job_scripts()) {
        all.add("SCRIPT", "LOAD", script.text);
    }
    replies answers;
    result<void> sent = co_await server_.execute(all, answers, options);
    if (!sent) {
        co_return sent;
    }
    std::vector<std::string> digests;
    for (std::size_t i = 0; i != answers.size(); ++i) {
        result<std::string> digest = answers.get<std::string>(i);
        if (!digest) {
            co_return std::unexpected(std::move(digest.error()));
        }
        digests.push_back(std::move(*digest));
    }
    digests_ = std::move(digests);
    ++loads_;
    co_return result<void>();
}

// However many have a script to run and find none known, one of them teaches the server.
task<result<void>> script_runner::load_once(time_point deadline) {
    try {
        const mutex::guard turn =
            co_await with_deadline(deadline, &mutex::lock, std::ref(loading_));
        if (!digests_.empty()) {
            co_return result<void>();
        }
        co_return co_await load(until(deadline, idempotent));
    } catch (const timed_out&) {
        co_return std::unexpected(error(errc::timed_out));
    } catch (const canceled&) {
        co_return std::unexpected(error(std::make_error_code(std::errc::operation_canceled)));
    }
}

// ref: scripts are constants.
task<result<resp::reply>> script_runner::run(const job_script& script, words keys, words arguments,
                                             call_options options) {
    const time_point deadline = end_of(options);
    for (int attempt = 0;; ++attempt) {
        // The last attempt brings the text: a slot that moves may send the call to a node that was
        // not taught.
        const bool by_text = attempt == 2;
        if (digests_.empty() && !by_text) {
            result<void> loaded = co_await load_once(deadline);
            if (!loaded) {
                co_return std::unexpected(std::move(loaded.error()));
            }
        }
        const std::uint64_t loads = loads_;
        // Its own copy: the command may be encoded once more when others have forgotten the
        // digests.
        const std::string name(by_text ? std::string(script.text) : digest(script));
        result<resp::reply> answer = co_await server_.command<resp::reply>(
            until(deadline, options), std::string_view(by_text ? "EVAL" : "EVALSHA"), name,
            keys.size(), keys, arguments);
        if (answer || answer.error().code() != errc::no_script || by_text) {
            co_return answer;
        }
        // Others may have taught it since this was sent.
        if (loads == loads_) {
            digests_.clear();
        }
    }
}

}  // namespace weir::redisq::detail
