#include "detail/script_runner.hpp"

#include <algorithm>
#include <utility>

#include "../replies.hpp"

namespace weir::redisq::detail {

const std::string& script_runner::digest(const job_script& script) const {
    static const std::string none;
    if (digests_.empty()) {
        return none;
    }
    const auto all = job_scripts();
    const auto found = std::ranges::find(all, script.name, &job_script::name);
    return digests_[static_cast<std::size_t>(found - all.begin())];
}

task<result<void>> script_runner::load() {
    resp::command_buffer all;
    for (const job_script& script : job_scripts()) {
        all.add("SCRIPT", "LOAD", script.text);
    }
    replies answers;
    result<void> sent = co_await server_.execute(all, answers, idempotent);
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
task<result<void>> script_runner::load_once() {
    try {
        const mutex::guard turn = co_await loading_.lock();
        if (!digests_.empty()) {
            co_return result<void>();
        }
        co_return co_await load();
    } catch (const canceled&) {
        co_return std::unexpected(error(std::make_error_code(std::errc::operation_canceled)));
    }
}

// ref: scripts are constants.
task<result<resp::reply>> script_runner::run(const job_script& script, words keys, words arguments,
                                             call_options options) {
    for (int attempt = 0;; ++attempt) {
        // The last attempt brings the text: a slot that moves may send the call to a node that was
        // not taught.
        const bool by_text = attempt == 2;
        if (digests_.empty() && !by_text) {
            result<void> loaded = co_await load_once();
            if (!loaded) {
                co_return std::unexpected(std::move(loaded.error()));
            }
        }
        const std::uint64_t loads = loads_;
        // Its own copy: the command may be encoded once more when others have forgotten the
        // digests.
        const std::string name(by_text ? std::string(script.text) : digest(script));
        result<resp::reply> answer = co_await server_.command<resp::reply>(
            options, std::string_view(by_text ? "EVAL" : "EVALSHA"), name, keys.size(), keys,
            arguments);
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
