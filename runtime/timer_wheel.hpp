// Timers: a hierarchical wheel of intrusive lists. Arming, disarming and firing cost O(1) and
// allocate nothing, whatever the number of live timers.
//
// Level L has 64 slots of 2^(granule_bits + 6 L) nanoseconds. A timer stands in the level whose
// slots still tell its deadline apart from now, and moves down when time reaches its slot. Within
// a slot of the lowest level timers are exact: those whose deadline has come fire, in the order of
// their deadlines (equal ones in the order of arming), the others stay.
//
// Invariants:
//   1. No timer is armed in a slot that time has passed: elapsed_ <= every armed deadline, except
//      for deadlines in the past, which stand in the slot of elapsed_.
//   2. A bit of occupied_[level] is set where that slot's list is not empty; it may also be set
//      for a list that was emptied by disarming, until the next look at it.
//
// Thread: the loop's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "clock.hpp"
#include "intrusive_list.hpp"

namespace weir::detail {

// A timer; `fire` is called once, unlinked, when its deadline has come. It only wakes, it never
// resumes.
struct timer_node : list_node {
    explicit timer_node(void (*on_fire)(timer_node&) noexcept) noexcept : fire(on_fire) {}

    time_point deadline{};
    void (*fire)(timer_node&) noexcept;
};

class timer_wheel {
  public:
    // Slots of the lowest level span 2^16 ns = 65.5 us.
    static constexpr unsigned granule_bits = 16;
    static constexpr unsigned slot_bits = 6;
    static constexpr unsigned slots = 1U << slot_bits;
    static constexpr unsigned levels = 8;  // 2^(16 + 48) ns: every time_point

    timer_wheel() = default;

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    // `timer` is not armed. A deadline in the past fires at the next advance().
    void insert(timer_node& timer, time_point deadline) noexcept;

    // `timer` is armed here.
    void remove(timer_node& timer) noexcept {
        timer.unlink();
        --size_;
    }

    // The earliest time at which advance() has something to do: the next deadline, or, where many
    // timers share a slot of a higher level, the time at which that slot moves down.
    [[nodiscard]] std::optional<time_point> next_event() noexcept;

    // The same for a loop that sleeps on a real clock: deadlines within one slot of the lowest
    // level share a wake-up at its end, at most 65.5 us late and never early.
    [[nodiscard]] std::optional<time_point> next_wakeup() noexcept;

    // Moves time to `now` and fires what is due. Returns how many fired.
    std::size_t advance(time_point now) noexcept;

  private:
    using slot_list = intrusive_list<timer_node>;

    struct position {
        unsigned level;
        unsigned slot;
    };

    [[nodiscard]] position place(std::uint64_t deadline) const noexcept;
    [[nodiscard]] std::optional<position> first_occupied() noexcept;
    [[nodiscard]] std::uint64_t slot_start(position at) const noexcept;
    void put(timer_node& timer) noexcept;
    std::size_t fire_due(unsigned slot, std::uint64_t now) noexcept;

    std::uint64_t elapsed_ = 0;  // nanoseconds of the clock up to which time was advanced
    std::size_t size_ = 0;
    std::array<std::uint64_t, levels> occupied_{};
    std::array<std::array<slot_list, slots>, levels> slots_;
};

}  // namespace weir::detail
