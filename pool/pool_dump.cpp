// pool::dump.
#include <iomanip>
#include <sstream>

#include "pool.hpp"

namespace weir {
namespace {

void print_job(std::ostream& out, const detail::job& job) {
    out << "job " << job.info().id << " \"" << job.info().name << '"';
}

void print_running(std::ostream& out, const detail::job& job, time_point now) {
    out << (job.is_guest() ? "  guest: " : "  slot: ");
    print_job(out, job);
    if (job.state() == detail::job_state::granted) {
        out << ", starts next\n";
        return;
    }
    if (const detail::waiter* const waiting = job.waiting()) {
        const auto waited = std::chrono::duration<double, std::milli>(now - waiting->since);
        out << ", awaits " << waiting->kind->what << " for " << std::fixed << std::setprecision(3)
            << waited.count() << " ms";
    } else {
        out << ", runs";
    }
    out << (job.stop_requested() ? ", stop requested\n" : "\n");
}

}  // namespace

std::string pool::dump() const {
    std::ostringstream out;
    const time_point now = loop_->now();
    out << "pool \"" << options_.name << "\": " << running_ << " of " << limit_ << " slots, "
        << queue_.size() << " of " << options_.max_queue_size << " queued, " << stats_.parked
        << " parked" << (stopping_ ? ", stopping" : closed_ ? ", closed" : "") << '\n';
    group_.for_each_listener([&](const detail::stop_listener& listener) {
        print_running(out, static_cast<const detail::job&>(listener), now);
    });
    queue_.for_each([&](const detail::job& queued) {
        out << "  queued: ";
        print_job(out, queued);
        out << '\n';
    });
    parked_.for_each([&](const detail::job& parked) {
        out << "  parked: \"" << parked.info().name << '"';
        if (parked.submitter() != nullptr) {
            const context& task = *parked.submitter()->owner;
            out << " of task \"" << (task.name() != nullptr ? task.name() : "(unnamed)") << '"';
        } else {
            out << " from a thread";
        }
        out << '\n';
    });
    return out.str();
}

}  // namespace weir
