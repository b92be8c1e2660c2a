// job_handle: a job that was submitted.
//
//     auto job = co_await q.submit(keep, thumbnail, "a.png", 128);
//     report(co_await job.result(20s));
//
// Dropping a handle changes nothing. Waiting for a result takes a submit_options::keep_result();
// results are kept for queue_options::result_ttl after the job's end, and may be read by several.
// The ends of jobs that this queue object has submitted are told to it by messages, on a connection
// that it makes while somebody waits; of others (find(), a duplicate), and where it may not
// subscribe, it looks up to four times a second.
//
// Errors: see the calls; all throw redisq::exception, also with the errors of the server and of the
// way to it, and weir::canceled where the waiting task is stopped: the job goes on.
// Lifetime: not longer than its queue. Thread: the loop's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "../../runtime/task.hpp"
#include "job_type.hpp"

namespace weir::redisq {

class queue;

enum class cancel_outcome : std::uint8_t {
    canceled,  // it waited, and is gone
    asked,     // it runs; its worker asks it to stop with its next heartbeat
    unknown    // no such job: it has ended, or never was
};

class job_handle_base {
  public:
    job_handle_base() noexcept = default;

    // Empty for a handle that was default-constructed.
    [[nodiscard]] const std::string& id() const noexcept { return id_; }
    // Whether the submit found the job's unique key taken: then this is the job that holds it.
    [[nodiscard]] bool is_duplicate() const noexcept { return is_duplicate_; }

    // Cancels it, running or not.
    [[nodiscard]] task<cancel_outcome> cancel() const;

    // What the running job said last (job_context::progress); nothing where it said nothing, or has
    // ended.
    [[nodiscard]] task<std::optional<std::string>> progress() const;

  protected:
    friend class queue;

    // `told`: the queue object hears of the job's end.
    job_handle_base(queue& owner, std::string id, bool duplicate, bool has_result,
                    bool told = false) noexcept
        : queue_(&owner),
          id_(std::move(id)),
          is_duplicate_(duplicate),
          has_result_(has_result),
          is_told_(told) {}

    // Waits until the job has ended; its result's bytes.
    [[nodiscard]] task<std::string> wait(duration limit) const;

    queue* queue_ = nullptr;
    std::string id_;
    bool is_duplicate_ = false;
    bool has_result_ = false;
    bool is_told_ = false;
};

template <class Type>
class job_handle : public job_handle_base {
  public:
    job_handle() noexcept = default;
    explicit job_handle(job_handle_base base) : job_handle_base(std::move(base)) {}

    // Waits for the job's end, at most so long; gives its result, or throws: job_errc::dead with
    // the reason, canceled, result_timed_out, or no_result where none was asked for.
    [[nodiscard]] task<typename Type::result_type> result(duration limit) const {
        return result_of(*this, limit);
    }

  private:
    static task<typename Type::result_type> result_of(job_handle self, duration limit) {
        const std::string bytes = co_await self.wait(limit);
        if constexpr (!std::is_void_v<typename Type::result_type>) {
            co_return Type::codec::template decode<typename Type::result_type>(bytes);
        }
    }
};

}  // namespace weir::redisq
