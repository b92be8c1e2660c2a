#include "sampler.hpp"

#include <csignal>
#include <cstdio>
#include <utility>

#include "process.hpp"
#include "values.hpp"

namespace million_tasks {
namespace {

constexpr std::chrono::milliseconds row_distance{100};
constexpr std::chrono::milliseconds point_distance{10};  // runs may last well under a second
constexpr std::size_t points_max = 1'024;

double steady_seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

// Signals belong to the thread that runs the loop; a thread inherits the mask of its creator.
class signals_blocked {
  public:
    signals_blocked() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    signals_blocked(const signals_blocked&) = delete;
    signals_blocked& operator=(const signals_blocked&) = delete;
    ~signals_blocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  private:
    sigset_t before_{};
};

}  // namespace

sampler::sampler(const std::atomic<std::uint64_t>& finished, sampler_options options)
    : finished_(finished),
      options_(std::move(options)),
      begin_s_(steady_seconds()),
      begin_cpu_s_(cpu_seconds()) {
    if (options_.points) {
        points_.reserve(points_max + 2);
    }
    if (options_.csv != nullptr) {
        options_.csv->write(csv_head);
    }
    const sample first = take();
    keep(first);
    write_row(first);
    const signals_blocked during_start;
    thread_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
}

std::vector<sample> sampler::stop() {
    thread_.request_stop();
    thread_.join();
    const sample last = take();  // after the thread's own last one
    write_row(last);
    if (options_.points) {
        points_.push_back(last);
    }
    if (options_.progress) {
        std::fputs("\r\033[K", stderr);
    }
    return std::move(points_);
}

void sampler::watch(const std::stop_token& stop) {
    const auto distance = options_.points ? point_distance : row_distance;
    const auto rounds_per_row = row_distance / distance;
    auto due = std::chrono::steady_clock::now();
    for (std::int64_t round = 1;; ++round) {
        due += distance;
        std::unique_lock lock(mutex_);
        if (stopped_.wait_until(lock, stop, due, [&stop] { return stop.stop_requested(); })) {
            return;
        }
        const sample now = take();
        keep(now);
        if (round % rounds_per_row == 0) {
            write_row(now);
            show(now);
        }
    }
}

sample sampler::take() const {
    return {.seconds = steady_seconds() - begin_s_,
            .finished = finished_.load(std::memory_order_relaxed),
            .resident_bytes = resident_bytes(),
            .cpu_seconds = cpu_seconds() - begin_cpu_s_};
}

void sampler::keep(const sample& now) {
    if (!options_.points || kept_from_++ % keep_every_ != 0) {
        return;
    }
    if (points_.size() >= points_max) {
        for (std::size_t i = 0; 2 * i < points_.size(); ++i) {
            points_[i] = points_[2 * i];
        }
        points_.resize((points_.size() + 1) / 2);
        keep_every_ *= 2;
    }
    points_.push_back(now);
}

void sampler::write_row(const sample& now) {
    if (options_.csv != nullptr) {
        options_.csv->write(
            options_.strategy + "," + fixed(now.seconds, 3) + "," + std::to_string(now.finished) +
            "," + std::to_string(now.resident_bytes) + "," + fixed(now.cpu_seconds, 3) + "\n");
    }
}

void sampler::show(const sample& now) {
    if (!options_.progress) {
        return;
    }
    const double elapsed = now.seconds - shown_.seconds;
    const double rate = static_cast<double>(now.finished - shown_.finished) / elapsed;
    const double cpu = (now.cpu_seconds - shown_.cpu_seconds) / elapsed * 100;
    // The time left follows the mean of the whole run: it jumps less than the present rate.
    const double mean = static_cast<double>(now.finished) / now.seconds;
    const std::string left =
        mean > 0 ? fixed(static_cast<double>(options_.tasks - now.finished) / mean, 0) + " s left"
                 : "no task has ended yet";
    const double percent =
        100 * static_cast<double>(now.finished) / static_cast<double>(options_.tasks);
    std::fprintf(stderr, "\r\033[K%s  %s %%  %s tasks/s  %s  %s  CPU %s %%",
                 options_.strategy.c_str(), fixed(percent, 1).c_str(), short_number(rate).c_str(),
                 left.c_str(), mebibytes_text(now.resident_bytes).c_str(), fixed(cpu, 0).c_str());
    shown_ = now;
}

}  // namespace million_tasks
