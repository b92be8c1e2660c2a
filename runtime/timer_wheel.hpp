// Timers: a hierarchical wheel of intrusive lists. Arming, disarming, firing and asking for the
// next deadline cost O(1) and allocate nothing, whatever the number of live timers; the timers of
// one slot of the ring are looked through once for its first deadline, and again when it has come.
//
//     weir::detail::timer_wheel timers;
//     timers.insert(timer, start + 10ms);
//     timers.advance(start + 10ms);   // calls timer.fire
//
// The lowest level is a ring of 2,048 slots of 2^16 ns = 65.5 us, which reaches 134 ms ahead of now
// and wraps around; a timer that is due within it stands in the slot of its deadline. Later ones
// stand in eight coarser levels of 64 slots each, in the level whose slots still tell their
// deadline apart from now, and move down when time reaches their slot. Most timers of a network
// service are short and are touched twice: when they are armed and when they fire.
//
// Within a slot of the lowest level timers are exact: those whose deadline has come fire, in the
// order of their deadlines (equal ones in the order of arming), the others stay.
//
// Invariants:
//   1. No timer is armed in a slot that time has passed: elapsed_ <= every armed deadline, except
//      for deadlines in the past, which stand in the slot of elapsed_.
//   2. A coarse slot is moved down before any slot of the ring that begins at or after its start.
//   3. A bit of an occupied_ word is set where that slot's list is not empty; it may also be set
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
    static constexpr unsigned granule_bits = 16;
    static constexpr unsigned near_bits = 11;
    static constexpr std::size_t near_slots = std::size_t{1} << near_bits;
    static constexpr unsigned far_bits = 6;
    static constexpr std::size_t far_slots = std::size_t{1} << far_bits;
    static constexpr unsigned far_shift = granule_bits + near_bits;  // of the finest coarse level
    static constexpr unsigned far_levels = 7;                        // 27 + 7 * 6 > 63 bits

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

    // Moves time to `now` and fires what is due. Returns how many fired.
    std::size_t advance(time_point now) noexcept;

  private:
    using slot_list = intrusive_list<timer_node>;

    // A slot that may have something to do, and when its span begins.
    struct position {
        slot_list* slot;
        std::uint64_t* occupied;  // the word and the bit that say so
        std::uint64_t bit;
        std::uint64_t start;
        bool is_near;
    };

    [[nodiscard]] std::optional<position> first_near() noexcept;
    [[nodiscard]] std::optional<position> first_far() noexcept;
    [[nodiscard]] std::optional<position> first_occupied() noexcept;
    [[nodiscard]] slot_list& slot_for(time_point deadline) noexcept;
    [[nodiscard]] std::uint64_t nearest_deadline(const slot_list& slot) noexcept;
    void move_down(const position& from) noexcept;
    std::size_t fire_due(const position& at, std::uint64_t now) noexcept;

    std::uint64_t elapsed_ = 0;  // nanoseconds of the clock up to which time was advanced
    std::size_t size_ = 0;
    // A slot of the ring that was looked through, or null, and no later than its first deadline.
    const slot_list* nearest_ = nullptr;
    std::uint64_t nearest_deadline_ = 0;
    std::array<std::uint64_t, near_slots / 64> near_occupied_{};
    std::array<std::uint64_t, far_levels> far_occupied_{};
    std::array<slot_list, near_slots> near_;
    std::array<std::array<slot_list, far_slots>, far_levels> far_;
};

}  // namespace weir::detail
