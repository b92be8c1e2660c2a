#include "timer_wheel.hpp"

#include <algorithm>
#include <bit>

namespace weir::detail {
namespace {

constexpr std::uint64_t granule = std::uint64_t{1} << timer_wheel::granule_bits;

// Coarse slots with more timers than this are not searched for their first deadline.
constexpr std::size_t scan_max = 8;

std::uint64_t to_nanoseconds(time_point at) noexcept {
    return static_cast<std::uint64_t>(std::max<duration::rep>(at.time_since_epoch().count(), 0));
}

time_point to_time_point(std::uint64_t nanoseconds) noexcept {
    constexpr auto max = static_cast<std::uint64_t>(duration::max().count());
    return time_point(duration(static_cast<duration::rep>(std::min(nanoseconds, max))));
}

void merge(intrusive_list<timer_node>& into, intrusive_list<timer_node>& later) noexcept {
    intrusive_list<timer_node> merged;
    while (!into.empty() && !later.empty()) {
        const bool take_later = later.front().deadline < into.front().deadline;
        merged.push_back(take_later ? later.pop_front() : into.pop_front());
    }
    merged.splice_back(into);
    merged.splice_back(later);
    into.splice_back(merged);
}

// A stable merge sort by deadline, in place: bin k holds a sorted run of 2^k timers.
void sort(intrusive_list<timer_node>& timers) noexcept {
    std::array<intrusive_list<timer_node>, 40> bins;
    std::size_t used = 0;
    while (!timers.empty()) {
        intrusive_list<timer_node> run;
        run.push_back(timers.pop_front());
        std::size_t bin = 0;
        for (; bin < used && !bins[bin].empty(); ++bin) {
            merge(bins[bin], run);
            run.splice_back(bins[bin]);
        }
        bins[bin].splice_back(run);
        used = std::max(used, bin + 1);
    }
    for (std::size_t bin = 0; bin < used; ++bin) {
        merge(bins[bin], timers);
        timers.splice_back(bins[bin]);
    }
}

}  // namespace

// Marks the slot as occupied.
timer_wheel::slot_list& timer_wheel::slot_for(time_point at) noexcept {
    const std::uint64_t deadline = std::max(to_nanoseconds(at), elapsed_);
    const std::uint64_t granules = (deadline >> granule_bits) - (elapsed_ >> granule_bits);
    if (granules < near_slots) {
        const std::size_t slot = (deadline >> granule_bits) & (near_slots - 1);
        near_occupied_[slot / 64] |= std::uint64_t{1} << (slot % 64);
        return near_[slot];
    }
    // The highest bit in which deadline and now differ tells the level; it is far_shift or higher,
    // or the ring would reach the deadline.
    const auto highest_bit = static_cast<unsigned>(std::bit_width(elapsed_ ^ deadline)) - 1;
    const unsigned level = (highest_bit - far_shift) / far_bits;
    const std::size_t slot = (deadline >> (far_shift + level * far_bits)) & (far_slots - 1);
    far_occupied_[level] |= std::uint64_t{1} << slot;
    return far_[level][slot];
}

void timer_wheel::insert(timer_node& timer, time_point deadline) noexcept {
    timer.deadline = deadline;
    slot_list& slot = slot_for(deadline);
    slot.push_back(timer);
    ++size_;
    if (&slot == nearest_) {
        nearest_deadline_ = std::min(nearest_deadline_, to_nanoseconds(deadline));
    }
}

// Searches the ring from the slot of elapsed_ on, once around.
std::optional<timer_wheel::position> timer_wheel::first_near() noexcept {
    const std::uint64_t now_granule = elapsed_ >> granule_bits;
    const std::size_t first = now_granule & (near_slots - 1);
    for (std::size_t step = 0; step <= near_occupied_.size(); ++step) {
        const std::size_t index = (first / 64 + step) % near_occupied_.size();
        std::uint64_t word = near_occupied_[index];
        if (step == 0) {
            word &= ~std::uint64_t{0} << (first % 64);
        } else if (step == near_occupied_.size()) {
            word &= ~(~std::uint64_t{0} << (first % 64));
        }
        for (; word != 0; word &= word - 1) {
            const std::size_t slot = index * 64 + static_cast<std::size_t>(std::countr_zero(word));
            const std::uint64_t bit = std::uint64_t{1} << (slot % 64);
            if (near_[slot].empty()) {
                near_occupied_[index] &= ~bit;
                continue;
            }
            const std::uint64_t ahead = (slot - first) & (near_slots - 1);
            return position{.slot = &near_[slot],
                            .occupied = &near_occupied_[index],
                            .bit = bit,
                            .start = (now_granule + ahead) << granule_bits,
                            .is_near = true};
        }
    }
    return std::nullopt;
}

std::optional<timer_wheel::position> timer_wheel::first_far() noexcept {
    for (unsigned level = 0; level < far_levels; ++level) {
        const unsigned shift = far_shift + level * far_bits;
        while (far_occupied_[level] != 0) {
            const auto slot = static_cast<std::size_t>(std::countr_zero(far_occupied_[level]));
            const std::uint64_t bit = std::uint64_t{1} << slot;
            if (far_[level][slot].empty()) {
                far_occupied_[level] &= ~bit;
                continue;
            }
            const std::uint64_t above =
                shift + far_bits < 64 ? (elapsed_ >> (shift + far_bits)) << (shift + far_bits) : 0;
            return position{.slot = &far_[level][slot],
                            .occupied = &far_occupied_[level],
                            .bit = bit,
                            .start = above + (std::uint64_t{slot} << shift),
                            .is_near = false};
        }
    }
    return std::nullopt;
}

// What comes first; at equal times the coarse slot, whose timers belong into the ring by then.
std::optional<timer_wheel::position> timer_wheel::first_occupied() noexcept {
    if (size_ == 0) {
        return std::nullopt;
    }
    const std::optional<position> near = first_near();
    const std::optional<position> far = first_far();
    if (!near || (far && far->start <= near->start)) {
        return far;
    }
    return near;
}

namespace {

// The first deadline of a slot, or where it has more than `scan_limit` timers `otherwise`.
std::uint64_t first_deadline(const intrusive_list<timer_node>& slot, std::size_t scan_limit,
                             std::uint64_t otherwise) noexcept {
    std::size_t seen = 0;
    std::uint64_t earliest = UINT64_MAX;
    slot.for_each_while([&](const timer_node& timer) {
        ++seen;
        earliest = std::min(earliest, to_nanoseconds(timer.deadline));
        return seen <= scan_limit;
    });
    return seen > scan_limit ? otherwise : earliest;
}

}  // namespace

// What is armed later keeps it right. A timer that is removed leaves a deadline that is too early,
// which is forgotten when time has come there.
std::uint64_t timer_wheel::nearest_deadline(const slot_list& slot) noexcept {
    if (nearest_ != &slot || nearest_deadline_ <= elapsed_) {
        nearest_ = &slot;
        nearest_deadline_ = first_deadline(slot, SIZE_MAX, 0);
    }
    return nearest_deadline_;
}

std::optional<time_point> timer_wheel::next_event() noexcept {
    if (size_ == 0) {
        return std::nullopt;
    }
    const std::optional<position> near = first_near();
    const std::optional<position> far = first_far();
    std::uint64_t earliest = UINT64_MAX;
    if (near) {
        earliest = nearest_deadline(*near->slot);
    }
    if (far && far->start < earliest) {
        earliest = std::min(earliest, first_deadline(*far->slot, scan_max, far->start));
    }
    return near || far ? std::optional(to_time_point(earliest)) : std::nullopt;
}

std::size_t timer_wheel::fire_due(const position& at, std::uint64_t now) noexcept {
    if (at.slot == nearest_) {
        if (now < nearest_deadline_) {
            return 0;
        }
        nearest_ = nullptr;
    }
    slot_list due;
    if (now - at.start >= granule) {
        due.splice_back(*at.slot);  // all of them; what it holds from before was due then
        *at.occupied &= ~at.bit;
    } else {
        at.slot->for_each([&](timer_node& timer) {
            if (to_nanoseconds(timer.deadline) <= now) {
                timer.unlink();
                due.push_back(timer);
            }
        });
    }
    bool sorted = true;
    time_point latest = time_point::min();
    due.for_each([&](const timer_node& timer) {
        sorted = sorted && timer.deadline >= latest;
        latest = timer.deadline;
    });
    if (!sorted) {
        sort(due);
    }
    std::size_t fired = 0;
    while (!due.empty()) {
        timer_node& timer = due.pop_front();
        --size_;
        ++fired;
        timer.fire(timer);
    }
    return fired;
}

void timer_wheel::move_down(const position& from) noexcept {
    nearest_ = nullptr;
    slot_list moving;
    moving.splice_back(*from.slot);
    *from.occupied &= ~from.bit;
    // To the front: what stands in the ring for the same time already was armed later.
    while (!moving.empty()) {
        timer_node& timer = moving.pop_back();
        slot_for(timer.deadline).push_front(timer);
    }
}

std::size_t timer_wheel::advance(time_point now) noexcept {
    const std::uint64_t target = std::max(to_nanoseconds(now), elapsed_);
    std::size_t fired = 0;
    while (const std::optional<position> at = first_occupied()) {
        if (at->start > target) {
            break;
        }
        elapsed_ = std::max(elapsed_, at->start);
        if (!at->is_near) {
            move_down(*at);
            continue;
        }
        fired += fire_due(*at, target);
        if (target - at->start < granule) {
            break;  // the slot of `now`; the others are later
        }
    }
    elapsed_ = target;
    return fired;
}

}  // namespace weir::detail
