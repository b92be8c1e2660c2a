#include "signals.hpp"

namespace weir {

task<result<signal_info>> signal_stream::next() {
    signalfd_siginfo got{};
    const result<void> read = co_await detail::read_signal(source_, got);
    if (!read) {
        co_return std::unexpected(read.error());
    }
    signal_info info;
    info.signal = static_cast<int>(got.ssi_signo);
    info.sender = static_cast<pid_t>(got.ssi_pid);
    info.user = got.ssi_uid;
    info.code = got.ssi_code;
    info.value = got.ssi_int;
    co_return info;
}

}  // namespace weir
