// Setting a ring up: the flags that weir wants, what to do where the kernel refuses, and one clear
// text where nothing helps.
//
//     io_uring ring{};
//     weir::detail::ring_setup granted = weir::detail::create_ring(ring, 256, 8'192);
//     weir::detail::enable_ring(ring);
//
// Thread: any for create_ring; enable_ring is called on the thread that will use the ring.
#pragma once

#include <liburing.h>

#include <algorithm>
#include <bit>
#include <string>
#include <system_error>

namespace weir::detail {

struct ring_setup {
    unsigned entries = 0;      // as granted
    unsigned completions = 0;  // entries of the completion queue, as granted
    unsigned flags = 0;        // IORING_SETUP_*, as granted
    unsigned features = 0;     // IORING_FEAT_*
};

// The completion queue for so many operations in flight: room for each one's completion, a cancel's
// and the wake's, but no more than a loop reaps within a few ticks.
[[nodiscard]] constexpr unsigned completions_for(unsigned operations) noexcept {
    constexpr unsigned completions_max = 16'384;
    return std::min(std::bit_ceil(2 * operations + 2), completions_max);
}

// Creates `ring`, disabled, with at least `completions` completion entries if the kernel's clamp
// allows. On ENOMEM halves the entries, down to 8; on EINVAL drops what the kernel does not know.
// Throws std::system_error (errc::ring_unavailable) with the cause and the cure.
ring_setup create_ring(io_uring& ring, unsigned entries, unsigned completions);

// The same; returns 0 or the errno of the last attempt, and then there is no ring.
[[nodiscard]] int try_create_ring(io_uring& ring, unsigned entries, unsigned completions,
                                  ring_setup& granted);

// Enables a ring that was created disabled; this thread becomes its single issuer. Returns whether
// its descriptor could be registered (Linux 5.18), which saves a look-up in each call.
// Throws std::system_error.
bool enable_ring(io_uring& ring);

// The sysctl kernel.io_uring_disabled; 0 where the kernel has none (before Linux 6.6).
[[nodiscard]] int disabled_by_sysctl();

// Why io_uring_setup(2) failed with `error`, and what to do about it; `disabled` is the sysctl.
[[nodiscard]] std::string explain_unavailable(int error, int disabled = disabled_by_sysctl());

}  // namespace weir::detail
