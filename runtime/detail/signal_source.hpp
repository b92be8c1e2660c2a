// Signals as bytes of a descriptor (signalfd(2)), for run() and signal_stream.
//
// Thread: the loop's.
#pragma once

#include <sys/signalfd.h>

#include <csignal>
#include <span>

#include "../result.hpp"
#include "../task.hpp"

namespace weir::detail {

// Blocks signals in its thread while it lives, and reads them instead.
class signal_source {
  public:
    // `who` names the list in the text of errors. Throws std::system_error.
    signal_source(std::span<const int> signals, const char* who);
    ~signal_source();
    signal_source(const signal_source&) = delete;
    signal_source& operator=(const signal_source&) = delete;

    // Lets the thread have the signals again that it had before; the descriptor stays. Idempotent.
    void restore_mask() noexcept;

    [[nodiscard]] int fd() const noexcept { return fd_; }

  private:
    sigset_t newly_blocked_{};
    bool blocked_ = false;
    int fd_ = -1;
};

// Waits for the next signal and reads it into `into`. ref: both outlive the task.
[[nodiscard]] task<result<void>> read_signal(const signal_source& source, signalfd_siginfo& into);

}  // namespace weir::detail
