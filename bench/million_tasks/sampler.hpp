// Watches a run from a thread of its own: a progress line, rows of a CSV file, points of a plot.
//
// It exists only where one of these is wanted, since its thread and its points cost memory. Points
// are few: when there are too many, every other one is dropped and the distance doubles.
//
// Thread: made, stopped and destroyed by one thread; it reads the run through an atomic counter.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "../support/output_file.hpp"

namespace million_tasks {

struct sample {
    double seconds = 0;  // since the sampler was made
    std::uint64_t finished = 0;
    std::uint64_t resident_bytes = 0;
    double cpu_seconds = 0;
};

struct sampler_options {
    std::string strategy;
    std::uint64_t tasks = 0;
    bool progress = false;
    bool points = false;
    bench::output_file* csv = nullptr;  // or null

    [[nodiscard]] bool wanted() const { return progress || points || csv != nullptr; }
};

class sampler {
  public:
    // `finished` outlives the sampler. The first sample is taken at once.
    sampler(const std::atomic<std::uint64_t>& finished, sampler_options options);

    // Takes the last sample, ends the thread, clears the progress line and returns the points.
    [[nodiscard]] std::vector<sample> stop();

    static constexpr const char* csv_head =
        "strategy,seconds,finished,resident_bytes,cpu_seconds\n";

  private:
    void watch(const std::stop_token& stop);
    [[nodiscard]] sample take() const;
    void keep(const sample& now);
    void write_row(const sample& now);
    void show(const sample& now);

    const std::atomic<std::uint64_t>& finished_;
    sampler_options options_;
    double begin_s_;
    double begin_cpu_s_;
    std::vector<sample> points_;
    std::uint64_t keep_every_ = 1;
    std::uint64_t kept_from_ = 0;
    sample shown_;
    std::mutex mutex_;
    std::condition_variable_any stopped_;
    std::jthread thread_;  // last: it uses all of the above
};

}  // namespace million_tasks
