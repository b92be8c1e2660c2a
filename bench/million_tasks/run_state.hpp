// What the tasks of one run share: what is asked of them, and what they have done.
//
// Thread: one loop's; `finished` alone may be read by another thread (the sampler).
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "options.hpp"
#include "workload.hpp"

namespace million_tasks {

class run_state {
  public:
    explicit run_state(const options& asked)
        : asked_(asked),
          pauses_(asked.sleep.count() > 0 || asked.straggler_every != 0),
          recipe_(asked.payload_bytes) {}

    [[nodiscard]] std::uint64_t tasks() const { return asked_.tasks; }
    [[nodiscard]] std::uint64_t concurrency() const { return asked_.concurrency; }
    [[nodiscard]] std::uint64_t queue() const { return asked_.queue; }
    [[nodiscard]] const payload_recipe& recipe() const { return recipe_; }

    // Whether any task sleeps, and how long task `index` does.
    [[nodiscard]] bool pauses() const { return pauses_; }
    [[nodiscard]] std::chrono::nanoseconds pause_of(std::uint64_t index) const {
        // The last one of each group, so that a group is under way when its straggler starts.
        const std::uint64_t every = asked_.straggler_every;
        return every != 0 && index % every == every - 1 ? asked_.straggler : asked_.sleep;
    }

    // Called by each task with the digest of its result. One thread writes, so a load and a store
    // do; relaxed, because the sampler needs a recent count and nothing that goes with it.
    void finish(std::uint64_t digest) {
        checksum_ += digest;
        finished_.store(finished_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }

    // Held by a task while it sleeps. Tasks that do not sleep run one after the other.
    class running_mark {
      public:
        explicit running_mark(run_state& state) : state_(state) {
            state_.max_running_ = std::max(state_.max_running_, ++state_.running_);
        }
        running_mark(const running_mark&) = delete;
        running_mark& operator=(const running_mark&) = delete;
        ~running_mark() { --state_.running_; }

      private:
        run_state& state_;
    };

    // Tells how many tasks were running, or existed without having started, at one moment.
    void note_running(std::uint64_t count) { max_running_ = std::max(max_running_, count); }
    void note_queued(std::uint64_t count) { max_queued_ = std::max(max_queued_, count); }

    [[nodiscard]] const std::atomic<std::uint64_t>& finished() const { return finished_; }
    [[nodiscard]] std::uint64_t checksum() const { return checksum_; }
    [[nodiscard]] std::uint64_t max_running() const { return max_running_; }
    [[nodiscard]] std::uint64_t max_queued() const { return max_queued_; }

  private:
    std::atomic<std::uint64_t> finished_ = 0;
    std::uint64_t checksum_ = 0;
    const options& asked_;
    bool pauses_;
    payload_recipe recipe_;
    std::uint64_t running_ = 0;
    std::uint64_t max_running_ = 1;
    std::uint64_t max_queued_ = 0;
};

}  // namespace million_tasks
