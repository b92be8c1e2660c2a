// job_context: a running job, as its handler sees it.
//
//     weir::task<std::string> make_thumbnail(resize wanted, weir::redisq::job_context& job) {
//         co_await job.progress("reading " + wanted.url);
//         co_return std::to_string(wanted.width) + "/" + std::to_string(job.attempt());
//     }
//
// A handler that is asked to stop (the job was canceled or is out of time, the worker stops or has
// lost its lease) sees that at its next await, as weir::canceled or operation_canceled, and as
// co_await weir::stop_requested(). It is at least once that a job runs: a handler does things that
// may be done twice, or looks whether they are done.
//
// Lifetime: as long as the handler's task. Thread: the loop's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "../../runtime/intrusive_list.hpp"
#include "../../runtime/stop.hpp"
#include "../../runtime/task.hpp"
#include "envelope.hpp"

namespace weir::redisq {

namespace detail {
class worker_core;
class worker_queue;
class job_handler;
class job_window;
struct job_access;
struct waiting_jobs;
}  // namespace detail

class job_context : public weir::detail::list_node {
  public:
    job_context(const job_context&) = delete;
    job_context& operator=(const job_context&) = delete;

    // The same in all attempts.
    [[nodiscard]] const std::string& id();
    [[nodiscard]] std::string_view type() const noexcept { return envelope_.type; }
    [[nodiscard]] const std::string& queue() const noexcept;
    // Of the run, from 1; crashes of workers do not count.
    [[nodiscard]] std::uint32_t attempt() const noexcept { return envelope_.attempts + 1; }
    // How often it was taken by a worker that died, in all attempts.
    [[nodiscard]] std::uint32_t crashes() const noexcept { return crashes_ + envelope_.crashes; }
    [[nodiscard]] std::string_view trace() const noexcept { return envelope_.trace; }
    // The payload's bytes.
    [[nodiscard]] std::string_view payload() const noexcept { return envelope_.payload; }

    // Says how far it is, for who waits for its result; nothing where nobody asked for one. Throws
    // redisq::exception: job_errc::lease_lost where the job runs elsewhere by now.
    [[nodiscard]] task<> progress(std::string text);

  private:
    friend class detail::worker_core;
    friend class detail::worker_queue;
    friend struct detail::job_access;

    enum class stop_reason : std::uint8_t { none, canceled, lease_lost };
    // Where the worker has it; who changes that stands in detail/worker_core.hpp.
    enum class place : std::uint8_t { none, ready, passed, held, gathered, running, ended };

    job_context() = default;
    ~job_context() = default;

    detail::worker_queue* queue_ = nullptr;
    const detail::job_handler* handler_ = nullptr;
    detail::job_window* window_ = nullptr;      // holds the bytes below
    stop_source* running_ = nullptr;            // while its handler runs: stops it
    std::size_t* batch_left_ = nullptr;         // of a batch that runs: jobs not asked to stop
    detail::waiting_jobs* waits_in_ = nullptr;  // while it is held or gathered
    std::string_view raw_;                      // the envelope's bytes
    envelope envelope_;
    std::string_view entry_;     // of the stream
    std::string_view filed_id_;  // where the entry does not tell the id
    std::string id_;             // made when it is asked for
    std::string result_;         // written by the handler's wrapper
    std::uint64_t epoch_ = 0;    // of the worker's name under which it was claimed
    std::uint32_t crashes_ = 0;  // since it stands in its stream
    std::uint8_t lane_ = 0;
    place place_ = place::none;
    stop_reason stop_reason_ = stop_reason::none;
    bool may_start_ = false;  // its type's limits have let it pass
};

namespace detail {

// For handlers' wrappers.
struct job_access {
    static std::string& result(job_context& job) noexcept { return job.result_; }
    static std::string_view payload(const job_context& job) noexcept {
        return job.envelope_.payload;
    }
    static const envelope& of(const job_context& job) noexcept { return job.envelope_; }
};

}  // namespace detail
}  // namespace weir::redisq
