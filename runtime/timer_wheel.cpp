#include "timer_wheel.hpp"

#include <algorithm>
#include <bit>

namespace weir::detail {
namespace {

constexpr std::uint64_t granule = std::uint64_t{1} << timer_wheel::granule_bits;

// Slots of higher levels with more timers than this are not searched for their first deadline.
constexpr int scan_max = 8;

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

timer_wheel::position timer_wheel::place(std::uint64_t deadline) const noexcept {
    constexpr std::uint64_t lowest = (granule << slot_bits) - 1;
    const auto highest_bit = static_cast<unsigned>(std::bit_width((elapsed_ ^ deadline) | lowest)) - 1;
    const unsigned level = (highest_bit - granule_bits) / slot_bits;
    const unsigned shift = granule_bits + level * slot_bits;
    return {.level = level, .slot = static_cast<unsigned>(deadline >> shift) & (slots - 1)};
}

std::uint64_t timer_wheel::slot_start(position at) const noexcept {
    const unsigned shift = granule_bits + at.level * slot_bits;
    const std::uint64_t span = shift + slot_bits < 64 ? (std::uint64_t{1} << (shift + slot_bits)) : 0;
    const std::uint64_t base = span == 0 ? 0 : elapsed_ & ~(span - 1);
    return base + (std::uint64_t{at.slot} << shift);
}

void timer_wheel::put(timer_node& timer) noexcept {
    const position at = place(std::max(to_nanoseconds(timer.deadline), elapsed_));
    occupied_[at.level] |= std::uint64_t{1} << at.slot;
    slots_[at.level][at.slot].push_back(timer);
}

void timer_wheel::insert(timer_node& timer, time_point deadline) noexcept {
    timer.deadline = deadline;
    put(timer);
    ++size_;
}

std::optional<timer_wheel::position> timer_wheel::first_occupied() noexcept {
    if (size_ == 0) {
        return std::nullopt;
    }
    for (unsigned level = 0; level < levels; ++level) {
        while (occupied_[level] != 0) {
            const auto slot = static_cast<unsigned>(std::countr_zero(occupied_[level]));
            if (!slots_[level][slot].empty()) {
                return position{.level = level, .slot = slot};
            }
            occupied_[level] &= occupied_[level] - 1;
        }
    }
    return std::nullopt;
}

std::optional<time_point> timer_wheel::next_event() noexcept {
    const std::optional<position> at = first_occupied();
    if (!at) {
        return std::nullopt;
    }
    int seen = 0;
    std::uint64_t earliest = UINT64_MAX;
    slots_[at->level][at->slot].for_each([&](const timer_node& timer) {
        ++seen;
        earliest = std::min(earliest, to_nanoseconds(timer.deadline));
    });
    if (at->level > 0 && seen > scan_max) {
        return to_time_point(slot_start(*at));
    }
    return to_time_point(earliest);
}

std::optional<time_point> timer_wheel::next_wakeup() noexcept {
    const std::optional<position> at = first_occupied();
    if (!at) {
        return std::nullopt;
    }
    if (at->level == 0) {
        return to_time_point(slot_start(*at) + granule);
    }
    const std::optional<time_point> event = next_event();
    const std::uint64_t nanoseconds = to_nanoseconds(*event);
    return to_time_point((nanoseconds | (granule - 1)) + 1);
}

std::size_t timer_wheel::fire_due(unsigned slot, std::uint64_t now) noexcept {
    slot_list due;
    bool sorted = true;
    time_point latest = time_point::min();
    slots_[0][slot].for_each([&](timer_node& timer) {
        if (to_nanoseconds(timer.deadline) <= now) {
            sorted = sorted && timer.deadline >= latest;
            latest = timer.deadline;
            timer.unlink();
            due.push_back(timer);
        }
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

std::size_t timer_wheel::advance(time_point now) noexcept {
    const std::uint64_t target = std::max(to_nanoseconds(now), elapsed_);
    std::size_t fired = 0;
    while (const std::optional<position> at = first_occupied()) {
        const std::uint64_t start = slot_start(*at);
        if (start > target) {
            break;
        }
        elapsed_ = std::max(elapsed_, start);
        if (at->level == 0) {
            const std::size_t fired_here = fire_due(at->slot, target);
            fired += fired_here;
            if (target - start < granule || fired_here == 0) {
                break;
            }
        } else {
            slot_list moving;
            moving.splice_back(slots_[at->level][at->slot]);
            occupied_[at->level] &= ~(std::uint64_t{1} << at->slot);
            while (!moving.empty()) {
                put(moving.pop_front());
            }
        }
    }
    elapsed_ = target;
    return fired;
}

}  // namespace weir::detail
