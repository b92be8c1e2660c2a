// How a queue waits for the ends of its jobs.
//
// The ends of jobs that it submitted itself are told by messages (detail/result_board.hpp), so that
// waiting for thousands of them costs nothing. It looks for itself, slower and slower, until that
// works, where it does not, and for jobs that others have submitted, whose ends are told to those.
#include <algorithm>

#include "../../runtime/event_loop.hpp"
#include "../../runtime/sleep.hpp"
#include "detail/answer.hpp"
#include "detail/result_board.hpp"
#include "queue.hpp"

namespace weir::redisq {
namespace {

constexpr duration look_first = std::chrono::milliseconds(2);
constexpr duration look_longest = std::chrono::milliseconds(250);
// Where ends are told; for messages that are lost.
constexpr duration look_when_told = std::chrono::seconds(5);

// Throws where the job has ended without a value.
std::optional<std::string> value_in(const std::optional<std::string>& record,
                                    const std::string& id) {
    if (!record || record->empty()) {
        return std::nullopt;
    }
    switch (record->front()) {
        case 'v':
            return record->size() < 2 ? std::string() : record->substr(2);
        case 'd':
            throw job_exception(job_errc::dead, "job " + id + " is dead: " + record->substr(1));
        case 'c':
            throw job_exception(job_errc::canceled, "job " + id + " was canceled");
        default:
            return std::nullopt;
    }
}

bool is_end(const std::optional<std::string>& record) {
    return record &&
           (record->starts_with('v') || record->starts_with('d') || record->starts_with('c'));
}

}  // namespace

detail::result_board& queue::board() {
    if (board_ == nullptr) {
        board_ = std::make_unique<detail::result_board>(*event_loop::current(), server_.options(),
                                                        keys_.channel(producer_));
    }
    return *board_;
}

task<std::string> queue::wait_for_result(std::string id, bool is_told, duration limit) {
    const time_point deadline = saturating_add(scheduler::current()->now(), limit);
    const std::string key = keys_.result(id);
    // It waits from before the first look, so that nothing falls between that and a message.
    std::optional<detail::result_board::waiter> waiter;
    if (is_told) {
        waiter.emplace(board(), id);
    }
    duration pause = look_first;
    bool was_missed = false;
    for (;;) {
        const std::optional<std::string> record = detail::answer_of(
            co_await server_.command<std::optional<std::string>>(idempotent, "GET", key));
        if (was_missed && is_end(record)) {
            board_->missed();
        }
        if (std::optional<std::string> value = value_in(record, id)) {
            co_return std::move(*value);
        }
        const time_point now = scheduler::current()->now();
        if (now >= deadline) {
            throw job_exception(job_errc::result_timed_out,
                                "job " + id + " has no result yet; it may still end");
        }
        if (!waiter) {
            co_await sleep_until(std::min(deadline, saturating_add(now, pause)));
        } else {
            board_->open();
            const bool relies = board_->is_reliable();
            const time_point next = saturating_add(now, relies ? look_when_told : pause);
            const bool has_news = co_await waiter->wait_until(std::min(deadline, next));
            was_missed = relies && !has_news && next < deadline;
        }
        pause = std::min(pause * 2, look_longest);
    }
}

task<std::optional<std::string>> queue::read_progress(std::string id) {
    std::optional<std::string> record = detail::answer_of(
        co_await server_.command<std::optional<std::string>>(idempotent, "GET", keys_.result(id)));
    if (!record || !record->starts_with('p')) {
        co_return std::nullopt;
    }
    co_return record->substr(1);
}

task<cancel_outcome> job_handle_base::cancel() const { return queue_->cancel(id_); }

task<std::optional<std::string>> job_handle_base::progress() const {
    return queue_->read_progress(id_);
}

namespace {

task<std::string> no_result(std::string id) {
    throw job_exception(job_errc::no_result,
                        "job " + id + " keeps no result; submit it with keep_result()");
    co_return std::string();
}

}  // namespace

task<std::string> job_handle_base::wait(duration limit) const {
    return has_result_ ? queue_->wait_for_result(id_, is_told_, limit) : no_result(id_);
}

}  // namespace weir::redisq
