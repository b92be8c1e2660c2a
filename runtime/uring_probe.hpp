// uring_probe: what this kernel offers a loop, what a loop makes of it, and why it cannot run.
//
//     const weir::uring_report report = weir::probe_uring();
//     std::puts(report.available ? "io_uring works here" : report.why_unavailable.c_str());
//
// Makes a ring exactly as event_loop does by default, reads what was granted, tries what the kernel
// does not tell (multishot requests, buffer rings) on sockets of its own, and closes everything
// again: about a millisecond. The program weir-info prints the report.
//
// Errors: none of io_uring; a refusal is what the report is about. std::bad_alloc.
// Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace weir {

// One thing that a kernel may have.
struct uring_capability {
    const char* name = "";     // as io_uring_setup(2) or io_uring_enter(2) calls it, or in words
    const char* since = "";    // the first Linux release that may have it
    const char* purpose = "";  // what it does for a loop
    const char* without = "";  // what this version does where it is missing; "" where not used
    bool used = false;         // this version uses it where it is present
    bool present = false;
};

// UINT64_MAX is "unlimited".
struct resource_limit {
    std::uint64_t soft = 0;
    std::uint64_t hard = 0;
};

struct uring_report {
    std::string kernel_release;  // uname(2), as in "6.1.0-28-amd64"
    bool available = false;
    int error = 0;                // errno of io_uring_setup(2) where it is not available
    std::string why_unavailable;  // cause and cure; empty where it is available
    // The sysctl kernel.io_uring_disabled: 0, 1 or 2; empty before Linux 6.6.
    std::optional<int> disabled_sysctl;

    // Of a default loop's ring; 0 and empty where io_uring is not available.
    unsigned submission_entries = 0;
    unsigned completion_entries = 0;
    std::vector<uring_capability> setup_flags;
    std::vector<uring_capability> features;
    std::vector<uring_capability> opcodes;
    std::vector<uring_capability> tried;  // found out by trying

    resource_limit memlock_bytes;  // RLIMIT_MEMLOCK
    resource_limit open_files;     // RLIMIT_NOFILE
    std::optional<int> somaxconn;  // net.core.somaxconn, the longest queue of a listener
    std::string clock_source;      // what the steady clock reads; slow ones are not "tsc"
    unsigned cores = 0;            // that this process may run on

    // What this version does without, one sentence each.
    [[nodiscard]] std::vector<std::string> fallbacks() const;
};

[[nodiscard]] uring_report probe_uring();

}  // namespace weir
