// What queue::submit_many gathers and sends. Included by queue.hpp.
//
// Two buffers: while one is on its way, the next one is filled. Of a queue with a limit, the jobs
// go in pieces through the script that counts.
// Thread: the loop's.
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../../../runtime/scope.hpp"
#include "../../replies.hpp"
#include "../queue.hpp"

namespace weir::redisq {

class queue::bulk {
  public:
    static constexpr std::size_t jobs_max = 1000;
    static constexpr std::size_t bytes_max = std::size_t{256} << 10U;

    bulk(queue& owner, int lane);

    void add(std::string_view job);
    [[nodiscard]] bool is_full() const noexcept {
        return count_ >= jobs_max || bytes_ >= bytes_max;
    }

  private:
    friend class queue;

    static task<> transmit(bulk* self, std::size_t which);

    queue& owner_;
    int lane_;
    std::size_t count_ = 0;
    std::size_t bytes_ = 0;
    resp::command_buffer commands_[2];  // of a queue without a limit
    replies answers_[2];
    std::vector<std::string> limited_;  // of one with a limit
    std::size_t filling_ = 0;
    std::optional<scope> sending_;  // the other buffer is on its way
};

// ref: the batch lives in the frame that awaits this.
template <class Type, class Range>
task<std::size_t> queue::fill(bulk* batch, Type type, Range payloads) {
    std::size_t count = 0;
    std::string bytes;
    for (auto&& payload : payloads) {
        bytes.clear();
        begin(bytes, type);
        type.encode(bytes, payload);
        check_size(type.name(), bytes.size());
        batch->add(bytes);
        ++count;
        if (batch->is_full()) {
            co_await send(batch);
        }
    }
    co_return count;
}

template <class P, class R, class C, std::ranges::input_range Range>
task<std::size_t> queue::submit_many(job_type<P, R, C> type, Range payloads, int lane) {
    bulk batch(*this, lane);
    std::exception_ptr failure;
    std::size_t count = 0;
    try {
        count = co_await fill(&batch, type, std::move(payloads));
    } catch (...) {
        failure = std::current_exception();
    }
    co_await finish(&batch, failure != nullptr);
    if (failure != nullptr) {
        std::rethrow_exception(failure);
    }
    co_return count;
}

}  // namespace weir::redisq
