#include "uring_probe.hpp"

#include <liburing.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include <array>
#include <bit>
#include <fstream>
#include <memory>
#include <thread>

#include "detail/uring_trials.hpp"
#include "event_loop.hpp"
#include "uring_compat.hpp"
#include "uring_setup.hpp"

namespace weir {
namespace {

// A bit of io_uring_params, or an opcode, with what is said of it.
struct known {
    unsigned value;
    uring_capability text;
};

constexpr uring_capability used(const char* name, const char* since, const char* purpose,
                                const char* without) {
    return {.name = name, .since = since, .purpose = purpose, .without = without, .used = true};
}

constexpr uring_capability unused(const char* name, const char* since, const char* purpose) {
    return {.name = name, .since = since, .purpose = purpose};
}

constexpr const char* needed = "no ring can be made";

constexpr std::array setup_flags = {
    known{IORING_SETUP_CQSIZE, used("CQSIZE", "5.5", "room for every completion", needed)},
    known{IORING_SETUP_CLAMP, used("CLAMP", "5.6", "takes what the kernel allows", needed)},
    known{IORING_SETUP_R_DISABLED,
          used("R_DISABLED", "5.10", "made on one thread, run on another", needed)},
    known{IORING_SETUP_SUBMIT_ALL,
          used("SUBMIT_ALL", "5.18", "one bad request does not hold up a batch",
               "a batch that stops at a bad request is submitted again")},
    known{IORING_SETUP_TASKRUN_FLAG,
          used("TASKRUN_FLAG", "5.19", "a tick with nothing to do makes no system call",
               "completions are noticed when the loop next waits")},
    known{IORING_SETUP_SINGLE_ISSUER,
          used("SINGLE_ISSUER", "6.0", "no locking against other submitters",
               "the kernel locks the ring for each call")},
    known{IORING_SETUP_DEFER_TASKRUN,
          used("DEFER_TASKRUN", "6.1", "completions are made in one batch while the loop waits",
               "COOP_TASKRUN: completions are made at any system call")},
    known{IORING_SETUP_COOP_TASKRUN,
          used("COOP_TASKRUN", "5.19", "no interrupt for a completion, instead of DEFER_TASKRUN",
               "a completion interrupts the loop's thread")},
};

constexpr std::array features = {
    known{IORING_FEAT_NODROP, used("NODROP", "5.5", "an overflow of completions loses none",
                                   "an overflow of completions ends the program")},
    known{IORING_FEAT_EXT_ARG, used("EXT_ARG", "5.11", "a deadline travels with the wait",
                                    "a deadline costs a request of its own")},
    known{IORING_FEAT_SINGLE_MMAP,
          used("SINGLE_MMAP", "5.4", "both queues in one mapping", "two mappings a ring")},
    known{IORING_FEAT_RW_CUR_POS,
          used("RW_CUR_POS", "5.6", "reads at the file position", "reads name their offset")},
    known{IORING_FEAT_FAST_POLL,
          used("FAST_POLL", "5.7", "a socket that is not ready needs no thread of the kernel",
               "each waiting request holds a thread of the kernel")},
    known{IORING_FEAT_CQE_SKIP,
          used("CQE_SKIP", "5.17", "an answer and the next read cost one completion",
               "two completions")},
    known{IORING_FEAT_RECVSEND_BUNDLE,
          used("RECVSEND_BUNDLE", "6.10", "several buffers in one receive",
               "a receive fills one buffer")},
    known{IORING_FEAT_MIN_TIMEOUT, unused("MIN_TIMEOUT", "6.12", "waits for a batch to gather")},
    known{IORING_FEAT_NO_IOWAIT,
          unused("NO_IOWAIT", "6.15", "an idle loop does not look like one that waits for a disk")},
};

constexpr std::array opcodes = {
    known{IORING_OP_NOP, used("NOP", "5.1", "measures the way through the kernel", needed)},
    known{IORING_OP_POLL_ADD, used("POLL_ADD", "5.13", "a thread wakes the loop", needed)},
    known{IORING_OP_READ, used("READ", "5.6", "reads", needed)},
    known{IORING_OP_WRITE, used("WRITE", "5.6", "writes", needed)},
    known{IORING_OP_ASYNC_CANCEL, used("ASYNC_CANCEL", "5.5", "stops what is in flight", needed)},
    known{IORING_OP_ACCEPT, used("ACCEPT", "5.5", "listeners", needed)},
    known{IORING_OP_CONNECT, used("CONNECT", "5.5", "streams", needed)},
    known{IORING_OP_RECV, used("RECV", "5.6", "streams", needed)},
    known{IORING_OP_SEND, used("SEND", "5.6", "streams", needed)},
    known{IORING_OP_SENDMSG, used("SENDMSG", "5.3", "datagrams", needed)},
    known{IORING_OP_SHUTDOWN, unused("SHUTDOWN", "5.11", "streams")},
    known{IORING_OP_OPENAT, used("OPENAT", "5.6", "files", needed)},
    known{IORING_OP_STATX, used("STATX", "5.6", "files", needed)},
    known{IORING_OP_FSYNC, used("FSYNC", "5.1", "files", needed)},
    known{IORING_OP_SPLICE, used("SPLICE", "5.7", "sends files", "send_file fails")},
    known{IORING_OP_MSG_RING, unused("MSG_RING", "5.18", "one loop wakes another")},
    known{IORING_OP_SEND_ZC,
          used("SEND_ZC", "6.0", "large sends without a copy, where asked for", "they are copied")},
};

template <class Has>
std::vector<uring_capability> marked(const auto& list, Has has) {
    std::vector<uring_capability> out;
    out.reserve(list.size());
    for (const known& one : list) {
        out.push_back(one.text);
        out.back().present = has(one.value);
    }
    return out;
}

std::vector<uring_capability> probe_opcodes(io_uring& ring) {
    struct free_probe {
        void operator()(io_uring_probe* probe) const noexcept { io_uring_free_probe(probe); }
    };
    const std::unique_ptr<io_uring_probe, free_probe> probe(io_uring_get_probe_ring(&ring));
    return marked(opcodes, [&probe](unsigned opcode) {
        return probe != nullptr && opcode <= probe->last_op &&
               (probe->ops[opcode].flags & IO_URING_OP_SUPPORTED) != 0;
    });
}

std::vector<uring_capability> try_out(io_uring& ring, bool registered) {
    const detail::uring_trials trials = detail::try_operations(ring);
    uring_capability descriptor =
        used("registered ring descriptor", "5.18", "a call looks up no file",
             "a call looks up the ring's file");
    uring_capability buffers =
        used("provided buffer ring", "5.19", "the kernel chooses among shared receive buffers",
             "a receive takes a buffer before bytes have come");
    uring_capability accept = used("accept multishot", "5.19", "one request, many connections",
                                   "a request for each connection");
    uring_capability receive =
        used("recv multishot", "6.0", "one request, many receives", "a request for each receive");
    descriptor.present = registered;
    buffers.present = trials.buffer_ring;
    accept.present = trials.accept_multishot;
    receive.present = trials.recv_multishot;
    return {descriptor, buffers, accept, receive};
}

void probe_ring(uring_report& report) {
    const event_loop_options defaults;
    io_uring ring{};
    detail::ring_setup granted;
    report.error = detail::try_create_ring(
        ring, defaults.ring_entries, detail::completions_for(defaults.max_in_flight), granted);
    if (report.error != 0) {
        report.why_unavailable = detail::explain_unavailable(report.error);
        return;
    }
    struct close_ring {
        void operator()(io_uring* open) const noexcept { io_uring_queue_exit(open); }
    };
    const std::unique_ptr<io_uring, close_ring> owner(&ring);
    try {
        const bool registered = detail::enable_ring(ring);
        report.opcodes = probe_opcodes(ring);
        report.tried = try_out(ring, registered);
    } catch (const std::system_error& error) {
        report.error = error.code().value();
        report.why_unavailable = detail::explain_unavailable(report.error);
        return;
    }
    report.available = true;
    report.submission_entries = granted.entries;
    report.completion_entries = granted.completions;
    report.setup_flags =
        marked(setup_flags, [&](unsigned flag) { return (granted.flags & flag) != 0; });
    if ((granted.flags & IORING_SETUP_DEFER_TASKRUN) != 0) {
        report.setup_flags.pop_back();  // COOP_TASKRUN, which was not asked for
    }
    report.features =
        marked(features, [&](unsigned flag) { return (granted.features & flag) != 0; });
}

resource_limit limit_of(decltype(RLIMIT_MEMLOCK) resource) noexcept {
    rlimit limit{};
    if (getrlimit(resource, &limit) != 0) {
        return {};
    }
    const auto plain = [](rlim_t value) -> std::uint64_t {
        return value == RLIM_INFINITY ? UINT64_MAX : value;
    };
    return {.soft = plain(limit.rlim_cur), .hard = plain(limit.rlim_max)};
}

std::optional<int> number_in(const char* path) {
    int number = 0;
    if (std::ifstream(path) >> number) {
        return number;
    }
    return std::nullopt;
}

}  // namespace

std::vector<std::string> uring_report::fallbacks() const {
    std::vector<std::string> out;
    for (const auto* list : {&setup_flags, &features, &opcodes, &tried}) {
        for (const uring_capability& one : *list) {
            if (one.used && !one.present) {
                out.push_back(std::string(one.name) + " (Linux " + one.since +
                              ") is missing: " + one.without);
            }
        }
    }
    return out;
}

uring_report probe_uring() {
    uring_report report;
    utsname system{};
    if (uname(&system) == 0) {
        report.kernel_release = system.release;
    }
    report.disabled_sysctl = number_in("/proc/sys/kernel/io_uring_disabled");
    report.somaxconn = number_in("/proc/sys/net/core/somaxconn");
    report.memlock_bytes = limit_of(RLIMIT_MEMLOCK);
    report.open_files = limit_of(RLIMIT_NOFILE);
    std::ifstream("/sys/devices/system/clocksource/clocksource0/current_clocksource") >>
        report.clock_source;
    report.cores = std::thread::hardware_concurrency();
    probe_ring(report);
    return report;
}

}  // namespace weir
