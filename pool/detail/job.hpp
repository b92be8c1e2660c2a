// A job: one submitted callable from its submission to its end; a root context of the loop.
//
// States, and who moves them (all writes are the pool's, in grant.cpp, admission.cpp and
// job.cpp):
//   created    made by submit; owned by the awaiter
//   parked     its submitter waits for a place, in pool_core::parked_
//   queued     in pool_core::queue_
//   granted    holds a slot (or its host's turn); in the ready queue, its body begins next
//   waiting    will run on its host's slot when the host's present guest has ended
//   running    its body has begun
//   finished   the body has ended or will never begin; the result stands where it is read
// created -> parked -> queued -> granted -> running -> finished, where any of the middle ones may
// be skipped; from created, parked, queued, granted and waiting also straight to finished.
//
// A job runs on a slot of its own, or as the guest of a host: another job of the same pool that
// waits for it meanwhile. A host has one guest at a time; further ones (of parallel branches of the
// host) take a free slot or a place in the queue where there is one, else they wait for their turn.
// What a branch awaits that is still queued while the turn is taken is noted as a claim: it runs
// where a slot is free first, the host's or another. So a slot never has two guests side by side.
//
// Ownership: a job deletes itself when it is finished and nobody holds it (see held_).
// Memory: one recycled block. Thread: made anywhere, all else the loop's.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>

#include "../../runtime/frame_allocator.hpp"
#include "../../runtime/scheduler.hpp"
#include "../options.hpp"

namespace weir {

namespace detail {

class pool_core;

enum class job_state : std::uint8_t {
    created,
    parked,
    queued,
    granted,
    waiting,
    running,
    finished
};

enum class job_outcome : std::uint8_t { none, value, error };

class job;
class job_waiter;
class submit_waiter;

// Is told when a job that it watches ends without a value.
class job_watcher {
  public:
    virtual void job_failed(std::exception_ptr error) noexcept = 0;

  protected:
    ~job_watcher() = default;
};

// "Who waits for `target`, which was queued then, would run it on the slot of the job that this is
// listed in, whose turn was taken."
struct claim : list_node {
    job* target = nullptr;
};

// A submission that waits for a place in the pool: of a task, which `submitter` stands for, or of a
// thread, whose job this is then.
struct parked_item : list_node {
    submit_waiter* submitter = nullptr;
    job* from_thread = nullptr;
};

// The deadlines of one job; one timer serves the one that counts in the job's present state.
struct job_deadlines : timer_node {
    job_deadlines(job& owner_job, const submit_options& options, time_point now) noexcept;
    ~job_deadlines();

    // Arms the timer for the deadline that counts in the job's present state.
    void arm() noexcept;
    void disarm() noexcept;
    [[nodiscard]] time_point next() const noexcept;
    static void passed(timer_node& timer) noexcept;

    job& owner;
    time_point admit_by;
    time_point start_by;
    time_point finish_by;
    bool finish_expired = false;
};

class job : public context, public recycled {
  public:
    job(pool_core& owner, scheduler& loop) noexcept : context(loop), owner_(&owner) {
        set_host(this);
        set_name("job");
    }

    [[nodiscard]] pool_core& owner_pool() const noexcept { return *owner_; }
    [[nodiscard]] job_state state() const noexcept { return state_; }
    [[nodiscard]] bool finished() const noexcept { return state_ == job_state::finished; }
    // The place in the pool's queue, while queued.
    [[nodiscard]] std::size_t position() const noexcept { return position_; }
    void set_position(std::size_t position) noexcept { position_ = position; }
    [[nodiscard]] job_info info() const noexcept {
        return {.id = id_, .name = name() != nullptr ? name() : job_info().name};
    }
    [[nodiscard]] bool is_guest() const noexcept { return slot_host_ != nullptr; }
    // Whether `from` waits, directly or through others, for `target`, or is it.
    [[nodiscard]] static bool waits_for(job& from, job& target) noexcept;
    // The job that this one is part of and that certainly waits for its end, or null.
    [[nodiscard]] job* outer() const noexcept;

    // Name and deadlines. Throws std::bad_alloc.
    void set_options(const submit_options& options);

    // A handle or awaiter will read the result and then drop().
    void set_held() noexcept { held_ = true; }

    // Tells `watcher` when the job ends without a value, or now if it has; its error then counts as
    // read. The watcher outlives the job's end.
    void watch(job_watcher& watcher) noexcept;

    // Its owner lets go: the job is deleted, at once if it was never admitted or is finished, else
    // at its end. An error that nobody has read is reported.
    void drop() noexcept;

    // Ready-queue entry: begins the body of a granted job.
    void start() noexcept override;

  protected:
    friend class pool_core;
    friend class job_waiter;
    friend class submit_waiter;
    friend struct job_deadlines;

    ~job() override = default;

    // Begins the body in place. It may have ended, and the job be gone, when this returns.
    virtual void run() noexcept = 0;

    // Becomes finished without a body: destroys the callable, and stores `why`.
    virtual void abandon(std::exception_ptr why) noexcept = 0;

    // The error that the body ended with, if it did.
    [[nodiscard]] virtual std::exception_ptr error() const noexcept = 0;
    virtual void replace_error(std::exception_ptr error) noexcept = 0;

    // Passes an unread error to the watcher, if both exist.
    void tell_watcher() noexcept;

    // Hands the result to whoever waits for it outside of the loop; the slot is free by then.
    virtual void deliver() noexcept {}

    // Whether somebody will read the error.
    [[nodiscard]] virtual bool is_observed() const noexcept { return held_; }

    // What every job uses stands together, beside the context's fields.
    pool_core* owner_;
    std::uint64_t id_ = 0;
    job_state state_ = job_state::created;
    job_outcome outcome_ = job_outcome::none;
    bool has_guest_ = false;
    bool held_ = false;  // somebody reads the result and calls drop()
    std::size_t position_ = 0;
    parked_item* parking_ = nullptr;  // while parked
    job_waiter* joiner_ = nullptr;    // who waits for the end
    job* slot_host_ = nullptr;        // whose guest this is, or null
    job* outer_ = nullptr;            // see outer(); that of the pool counts where this is null
    intrusive_list<job> guests_;      // that wait for their turn on this job's slot
    intrusive_list<claim> claims_;    // what waits for this job's turn, or is queued no longer
    std::unique_ptr<job_deadlines> deadlines_;
    job* search_next_ = nullptr;     // the pool's, during one search
    std::uint64_t search_mark_ = 0;  // the pool's: what the last search that came by found
    job_watcher* watcher_ = nullptr;
};

// Counts and reports `error` as one that nobody can see.
void report_unobserved(job& from, const std::exception_ptr& error) noexcept;
// The pool's part of a job's end.
void job_ended(job& ended) noexcept;
// Cancels `target` as join_handle::cancel says.
void cancel_job(job& target) noexcept;

}  // namespace detail
}  // namespace weir
