// Posted callables: how they are kept without a job of their own, in a place of the queue or in the
// record of a slot, and the operations that know their type.
//
// A closure is a std::tuple of the callable and its arguments. It is kept inline where it fits
// closure_size_max and moves without throwing; others travel in a job of their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

namespace weir {

namespace detail {

class pool_core;

class job;
class posted_job;

inline constexpr std::size_t closure_size_max = 112;

struct closure_ops {
    // Begins the body of the closure that lives in `record`. See posted_job.
    void (*begin)(posted_job& record) noexcept;
    // Move-constructs at `to` from `from`.
    void (*move)(void* from, void* to) noexcept;
    void (*destroy)(void* closure) noexcept;
    // A job of its own, moved from the closure. Throws std::bad_alloc.
    job* (*make_job)(pool_core& owner, void* closure);
};

template <class Closure>
inline constexpr bool fits_inline =
    sizeof(Closure) <= closure_size_max && alignof(Closure) <= alignof(std::max_align_t) &&
    std::is_nothrow_move_constructible_v<Closure>;

// Two cache lines: a posted closure, or a job.
struct alignas(64) queue_place {
    const closure_ops* ops;  // null: `held` says what is here
    std::uint64_t id;        // of a closure
    union {
        job* held;  // null: nothing
        alignas(std::max_align_t) std::byte closure[closure_size_max];
    };
};
static_assert(sizeof(queue_place) == 128);

}  // namespace detail
}  // namespace weir
