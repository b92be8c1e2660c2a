// Measures a client from within: it runs for a while unmeasured, then until the window is over.
//
// The client calls tick() once a turn of its loop, which reads the clock once; all clients pay the
// same. CPU is that of the whole process, kernel threads that work for it included.
#pragma once

#include <chrono>
#include <cstdint>

#include "../support/samples.hpp"

namespace resp {

struct figures {
    double ops_per_s = 0;
    double cpu_ns = 0;  // of the client, an operation
    double p50_us = 0;
    double p99_us = 0;
};

class meter {
  public:
    meter(std::chrono::nanoseconds warm_up, std::chrono::nanoseconds window);

    // Replies that came since the last tick.
    void count(std::uint64_t replies) { replies_ += replies; }
    // False when the window is over.
    [[nodiscard]] bool tick();
    // The time that the last tick has read.
    [[nodiscard]] std::uint64_t now_ns() const { return now_; }
    // Of an operation that was started at `began`, a value of now_ns(), and ended with the last
    // tick. Beyond a million, samples are dropped.
    void sample(std::uint64_t began);

    // Throws bench::bench_error where nothing was answered within the window.
    [[nodiscard]] figures result();

  private:
    enum class phase { warming, measuring, over };

    std::uint64_t now_ = 0;
    std::uint64_t warm_up_ns_;
    std::uint64_t window_ns_;
    std::uint64_t next_ = 0;  // when the phase ends
    phase phase_ = phase::warming;
    std::uint64_t replies_ = 0;
    std::uint64_t began_ = 0;
    std::uint64_t cpu_began_ = 0;
    std::uint64_t wall_ns_ = 0;
    std::uint64_t cpu_ns_ = 0;
    bench::samples samples_;
};

// Follows one command of many that are under way, so that a sliding window has latencies: marks the
// last one sent, and tells when it is answered.
class tracer {
  public:
    explicit tracer(meter& of) : meter_(of) {}

    void sent(std::uint64_t commands) {
        sent_ += commands;
        if (marked_ == 0 && commands > 0) {
            marked_ = sent_;
            began_ = meter_.now_ns();
        }
    }
    // After the tick.
    void answered(std::uint64_t replies) {
        answered_ += replies;
        if (marked_ != 0 && answered_ >= marked_) {
            marked_ = 0;
            meter_.sample(began_);
        }
    }

  private:
    meter& meter_;
    std::uint64_t sent_ = 0;
    std::uint64_t answered_ = 0;
    std::uint64_t marked_ = 0;
    std::uint64_t began_ = 0;
};

}  // namespace resp
