// event_loop::dump: the tree of live tasks, with what each awaits and since when.
#include <iomanip>
#include <ostream>

#include "event_loop.hpp"

namespace weir {
namespace {

void print(std::ostream& out, const detail::stop_listener& listener, time_point now, int depth) {
    const auto* const task = dynamic_cast<const context*>(&listener);
    if (task == nullptr || task->is_spare()) {
        return;
    }
    out << std::setw(depth * 2) << "" << (task->name() != nullptr ? task->name() : "(unnamed)");
    if (const detail::waiter* const waiting = task->waiting()) {
        const auto waited = std::chrono::duration<double, std::milli>(now - waiting->since);
        out << ": awaits " << waiting->kind->what << " for " << std::fixed << std::setprecision(3)
            << waited.count() << " ms";
    } else {
        out << ": ready";
    }
    if (task->stop_requested()) {
        out << ", stop requested";
    }
    out << '\n';
    task->for_each_listener(
        [&](const detail::stop_listener& child) { print(out, child, now, depth + 1); });
    for (std::size_t left = task->followers(); left != 0; --left) {
        out << std::setw(depth * 2) << "" << "(unnamed): ready\n";
    }
}

}  // namespace

void event_loop::dump(std::ostream& out) const {
    const loop_counters counts = counters();
    out << options_.name << ": " << ready_.size() + soon_.size() << " ready, " << timers_.size()
        << " timers, " << driver_->in_flight() << " operations in flight, " << counts.ticks
        << " ticks, " << counts.enters << " enters\n";
    roots_.for_each([&](const detail::stop_listener& root) { print(out, root, now(), 1); });
}

}  // namespace weir
