// Worker threads, each with a worker on a loop of its own, that run until so many jobs have
// started.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "measure.hpp"

namespace jobs {

class crew {
  public:
    // With `timed`, payloads begin with the time at which the job was due, and jobs due before
    // `sampled_from` are not counted among the latencies.
    struct settings {
        server_access server;
        std::uint64_t threads = 1;
        bool timed = false;
        std::uint64_t sampled_from = 0;
    };
    explicit crew(settings asked);
    crew(const crew&) = delete;
    crew& operator=(const crew&) = delete;
    ~crew();

    // All threads end when this many jobs have started, and ended, since the beginning. Any thread.
    void end_after(std::uint64_t jobs) { wanted_.store(jobs, std::memory_order_relaxed); }
    // Waits for the threads, and throws what made one of them fail.
    void join();

    // After join().
    [[nodiscard]] bench::samples latencies() const;
    [[nodiscard]] std::uint64_t cpu_ns() const;

    [[nodiscard]] bool has_failed() const { return failed_.load(std::memory_order_relaxed); }

    // Of one thread, in a cache line of its own: written by that thread, `started` read by all.
    struct alignas(64) member {
        std::atomic<std::uint64_t> started = 0;
        bool timed = false;
        std::uint64_t sampled_from = 0;
        bench::samples latencies{samples_max};
        std::uint64_t cpu_ns = 0;
    };

  private:
    friend struct crew_work;

    void work(member& self);
    [[nodiscard]] bool is_over() const;
    void fail(std::exception_ptr why);

    settings asked_;
    std::vector<std::unique_ptr<member>> members_;
    std::atomic<std::uint64_t> wanted_ = std::numeric_limits<std::uint64_t>::max();
    std::atomic<bool> failed_ = false;
    std::mutex failure_lock_;
    std::exception_ptr failure_;
    std::vector<std::thread> threads_;
};

}  // namespace jobs
