// pool_core::dump.
#include <iomanip>
#include <sstream>

#include "detail/pool_core.hpp"

namespace weir::detail {
namespace {

void print_job(std::ostream& out, const job& target) {
    out << "job " << target.info().id << " \"" << target.info().name << '"';
}

void print_wait(std::ostream& out, const waiter& waiting, time_point now) {
    const auto waited = std::chrono::duration<double, std::milli>(now - waiting.since);
    out << waiting.kind->what << " for " << std::fixed << std::setprecision(3) << waited.count()
        << " ms";
}

void print_task(std::ostream& out, const context& task) {
    out << "task \"" << (task.name() != nullptr ? task.name() : "(unnamed)") << '"';
}

void print_running(std::ostream& out, const job& target, time_point now) {
    out << (target.is_guest() ? "  guest: " : "  slot: ");
    print_job(out, target);
    if (target.state() == job_state::granted) {
        out << ", starts next\n";
        return;
    }
    if (const waiter* const waiting = target.waiting()) {
        out << ", awaits ";
        print_wait(out, *waiting, now);
    } else {
        out << ", runs";
    }
    out << (target.stop_requested() ? ", stop requested\n" : "\n");
}

void print_parked(std::ostream& out, const parked_item& parked) {
    if (parked.submitter == nullptr) {
        out << "  parked: ";
        print_job(out, *parked.from_thread);
        out << " from a thread\n";
        return;
    }
    out << "  parked: a submission of ";
    print_task(out, *parked.submitter->owner);
    out << '\n';
}

}  // namespace

std::string pool_core::dump() const {
    std::ostringstream out;
    const time_point now = loop_->now();
    out << "pool \"" << options_.name << "\": " << running_ << " of " << limit_ << " slots, "
        << queue_.size() << " of " << options_.max_queue_size << " queued, " << parked_size_
        << " parked"
        << (stopping_ ? ", stopping"
            : closed_ ? ", closed"
                      : "")
        << '\n';
    group_.for_each_listener([&](const stop_listener& listener) {
        const auto& running = static_cast<const job&>(listener);
        if (running.state() != job_state::created) {
            print_running(out, running, now);
        }
        running.guests_.for_each([&](const job& guest) {
            out << "  waiting: ";
            print_job(out, guest);
            out << " for its turn on the slot of job " << running.info().id << '\n';
        });
    });
    queue_.for_each([&](const queue_place& place) {
        const job_info info = place.ops == nullptr ? place.held->info() : job_info{.id = place.id};
        out << "  queued: job " << info.id << " \"" << info.name << "\"\n";
    });
    parked_.for_each([&](const parked_item& parked) { print_parked(out, parked); });
    idle_waiters_.for_each([&](const listed_waiter& waiting) {
        out << "  ";
        print_task(out, *waiting.owner);
        out << ", awaits ";
        print_wait(out, waiting, now);
        out << '\n';
    });
    return out.str();
}

}  // namespace weir::detail
