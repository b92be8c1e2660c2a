// The timer wheel alone, beside a binary heap, std::priority_queue and std::multimap of the same
// timers: why the loop has a wheel. `spread` deadlines lie anywhere within two seconds, `equal`
// ones are all 5 s ahead of now, as timeouts are.
#include <benchmark/benchmark.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <weir/runtime/timer_wheel.hpp>

#include "timer_heaps.hpp"

namespace {

using namespace std::chrono_literals;
using weir::time_point;

struct node : weir::detail::timer_node {
    node() noexcept : timer_node(&fired) {}
    static void fired(timer_node& timer) noexcept {
        auto& self = static_cast<node&>(timer);
        self.next_fired = last_fired;
        last_fired = &self;
    }
    static inline node* last_fired = nullptr;  // what fired, to be armed again
    node* next_fired = nullptr;
    std::size_t place = 0;
    std::multimap<time_point, node*>::iterator entry;
};

// The wheel with the interface of the others.
class wheel {
  public:
    explicit wheel(time_point start) { timers_.advance(start); }
    void insert(node& timer, time_point deadline) { timers_.insert(timer, deadline); }
    void remove(node& timer) { timers_.remove(timer); }
    // Moves time to the next deadline; calls visit(node) for each that fired.
    template <class Visit>
    time_point fire_next(Visit visit) {
        const time_point next = *timers_.next_event();
        node::last_fired = nullptr;
        timers_.advance(next);
        for (node* fired = node::last_fired; fired != nullptr;) {
            node* const after = fired->next_fired;
            visit(*fired, next);
            fired = after;
        }
        return next;
    }

  private:
    weir::detail::timer_wheel timers_;
};

// Chance without cost in the timed part.
class lengths {
  public:
    explicit lengths(bool equal) {
        std::uint64_t random = 88'172'645'463'325'252ULL;
        for (weir::duration& length : table_) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            length = equal ? weir::duration(5s)
                           : weir::duration(static_cast<std::int64_t>(random % 2'000'000'000));
        }
    }
    weir::duration next() noexcept { return table_[at_++ % table_.size()]; }

  private:
    std::array<weir::duration, 8'192> table_{};
    std::size_t at_ = 0;
};

constexpr time_point start{1h};

template <class Queue>
void fill(Queue& queue, std::deque<node>& nodes, lengths& ahead, std::int64_t count) {
    for (std::int64_t index = 0; index < count; ++index) {
        queue.insert(nodes.emplace_back(), start + ahead.next());
    }
}

template <class Queue>
void drain(Queue& queue, std::deque<node>& nodes) {
    for (node& timer : nodes) {
        queue.remove(timer);
    }
}

// A timeout that is armed and disarmed, at so many live timers.
template <class Queue, bool Equal>
void arm_cancel(benchmark::State& state) {
    auto queue = std::make_unique<Queue>(start);
    std::deque<node> nodes;
    lengths ahead(Equal);
    fill(*queue, nodes, ahead, state.range(0));
    node one;
    for ([[maybe_unused]] auto round : state) {
        queue->insert(one, start + ahead.next());
        benchmark::ClobberMemory();
        queue->remove(one);
    }
    drain(*queue, nodes);
}

// A timer that fires and is armed again, at so many live timers.
template <class Queue, bool Equal>
void arm_fire(benchmark::State& state) {
    auto queue = std::make_unique<Queue>(start);
    std::deque<node> nodes;
    lengths ahead(Equal);
    fill(*queue, nodes, ahead, state.range(0));
    std::int64_t fired = 0;
    std::int64_t wanted = 0;
    for ([[maybe_unused]] auto round : state) {
        // One iteration is one timer; several may fire at a time.
        ++wanted;
        while (fired < wanted) {
            queue->fire_next([&](node& timer, time_point now) {
                ++fired;
                queue->insert(timer, now + ahead.next() + 1ns);
            });
        }
    }
    drain(*queue, nodes);
}

using heap = binary_heap<node>;
using map = timer_map<node>;

#define ARGUMENTS ->Arg(1'000)->Arg(100'000)
BENCHMARK(arm_cancel<wheel, false>)->Name("weir/arm_cancel_spread") ARGUMENTS;
BENCHMARK(arm_cancel<heap, false>)->Name("heap/arm_cancel_spread") ARGUMENTS;
BENCHMARK(arm_cancel<map, false>)->Name("multimap/arm_cancel_spread") ARGUMENTS;
BENCHMARK(arm_cancel<wheel, true>)->Name("weir/arm_cancel_equal") ARGUMENTS;
BENCHMARK(arm_cancel<heap, true>)->Name("heap/arm_cancel_equal") ARGUMENTS;
BENCHMARK(arm_cancel<map, true>)->Name("multimap/arm_cancel_equal") ARGUMENTS;
BENCHMARK(arm_fire<wheel, false>)->Name("weir/arm_fire_spread") ARGUMENTS;
BENCHMARK(arm_fire<heap, false>)->Name("heap/arm_fire_spread") ARGUMENTS;
BENCHMARK(arm_fire<map, false>)->Name("multimap/arm_fire_spread") ARGUMENTS;
BENCHMARK(arm_fire<timer_priority_queue<node>, false>)
    ->Name("priority_queue/arm_fire_spread") ARGUMENTS;
BENCHMARK(arm_fire<wheel, true>)->Name("weir/arm_fire_equal") ARGUMENTS;
BENCHMARK(arm_fire<heap, true>)->Name("heap/arm_fire_equal") ARGUMENTS;
BENCHMARK(arm_fire<map, true>)->Name("multimap/arm_fire_equal") ARGUMENTS;
#undef ARGUMENTS

}  // namespace
