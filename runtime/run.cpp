#include "run.hpp"

namespace weir::detail {

task<> signal_watch::watch() {
    signalfd_siginfo info{};
    result<void> got = co_await read_signal(source_, info);
    if (got && on_first_signal_) {
        on_first_signal_();
        got = co_await read_signal(source_, info);
    }
    source_.restore_mask();  // also where nothing more is heard of signals
    if (got) {
        target_.request_stop();
    }
}

}  // namespace weir::detail
