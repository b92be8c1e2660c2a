// Notes a pool's high-water marks when the pool is about to end, also when it is stopped.
#pragma once

#include <weir/pool/pool.hpp>

#include "run_state.hpp"

namespace million_tasks {

class pool_note {
  public:
    pool_note(const weir::pool& pool, run_state& state) : pool_(pool), state_(state) {}
    pool_note(const pool_note&) = delete;
    pool_note& operator=(const pool_note&) = delete;
    ~pool_note() {
        const weir::pool_stats stats = pool_.stats();
        state_.note_running(stats.max_running);
        state_.note_queued(stats.max_queued);
    }

  private:
    const weir::pool& pool_;
    run_state& state_;
};

}  // namespace million_tasks
