// signal_stream: signals as values that a task waits for.
//
//     weir::signal_stream signals({SIGHUP, SIGUSR1});
//     while (auto got = co_await signals.next()) {
//         if (got->signal == SIGHUP) { reload(); }
//         if (got->signal == SIGUSR1) { break; }
//     }
//
// While the stream lives, its signals are blocked in the thread that made it (and in threads that
// this one starts); a thread that was started before and does not block them may take them instead,
// so a program makes its streams first. When the stream dies, the signals act as they did before,
// also those that have come and were not read: SIGTERM by ending the process.
// Signals of one kind do not queue: what comes twice between two reads may be seen once. Of two
// streams (or run_options::stop_signals) for one signal, either gets it.
//
// Errors: the constructor throws std::system_error for what is no signal, and where no descriptor
// is left (signalfd(2)); next() yields std::errc::operation_canceled when the task was stopped.
// SIGKILL and SIGSTOP cannot be caught and never come.
// Lifetime: the stream outlives its awaits. Thread: the loop's; one next() at a time.
#pragma once

#include <sys/types.h>

#include <initializer_list>
#include <span>

#include "../detail/signal_source.hpp"
#include "../result.hpp"
#include "../task.hpp"

namespace weir {

struct signal_info {
    int signal = 0;
    pid_t sender = 0;  // process; 0 where the kernel sent it
    uid_t user = 0;    // of the sender
    int code = 0;      // why it was sent: SI_* and others of sigaction(2)
    int value = 0;     // what sigqueue(3) sent with it
};

class signal_stream {
  public:
    explicit signal_stream(std::span<const int> signals) : source_(signals, "signal_stream") {}
    signal_stream(std::initializer_list<int> signals)
        : signal_stream(std::span<const int>(signals.begin(), signals.size())) {}

    // Waits for the next signal.
    [[nodiscard]] task<result<signal_info>> next();

  private:
    detail::signal_source source_;
};

}  // namespace weir
