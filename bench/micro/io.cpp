// A round trip through the kernel that does nothing: alone, and 32 or 256 at a time; beside the
// same with liburing by hand, on a ring that is set up in the same way.
#include <benchmark/benchmark.h>
#include <liburing.h>

#include <cstdint>
#include <memory>
#include <weir/runtime/nop.hpp>
#include <weir/runtime/run.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/uring_setup.hpp>
#include <weir/runtime/yield.hpp>

namespace {

weir::task<> nop_alone(benchmark::State* state) {
    std::int64_t failed = 0;
    for ([[maybe_unused]] auto round : *state) {
        const weir::result<void> done = co_await weir::nop();
        failed += done ? 0 : 1;
    }
    if (failed != 0) {
        state->SkipWithError("a nop failed");
    }
}

void weir_nop(benchmark::State& state) { weir::run(nop_alone(&state)); }
BENCHMARK(weir_nop)->Name("weir/nop");

weir::task<> keep_nopping(const bool* stop, std::int64_t* done) {
    while (!*stop) {
        static_cast<void>(co_await weir::nop());
        ++*done;
    }
}

// As many tasks as the batch has operations, each with one in flight at any time.
weir::task<> nop_batches(benchmark::State* state) {
    const std::int64_t size = state->range(0);
    bool stop = false;
    std::int64_t done = 0;
    weir::scope s;
    for (std::int64_t index = 1; index < size; ++index) {
        s.spawn(keep_nopping(&stop, &done));
    }
    while (state->KeepRunningBatch(size)) {
        static_cast<void>(co_await weir::nop());
    }
    stop = true;
    co_await s.join();
    benchmark::DoNotOptimize(done);
}

void weir_nop_batch(benchmark::State& state) { weir::run(nop_batches(&state)); }
BENCHMARK(weir_nop_batch)->Name("weir/nop_batch")->Arg(32)->Arg(256);

weir::task<> one_nop() { static_cast<void>(co_await weir::nop()); }

// The same, but each operation is a task of its own, spawned and joined.
weir::task<> nop_spawned(benchmark::State* state) {
    const std::int64_t size = state->range(0);
    while (state->KeepRunningBatch(size)) {
        weir::scope s;
        for (std::int64_t index = 0; index < size; ++index) {
            s.spawn(one_nop());
        }
        co_await s.join();
    }
}

void weir_nop_spawned(benchmark::State& state) { weir::run(nop_spawned(&state)); }
BENCHMARK(weir_nop_spawned)->Name("weir/nop_spawn_join")->Arg(32)->Arg(256);

class bare_ring {
  public:
    bare_ring() {
        weir::detail::create_ring(ring_, 256, 8'192);
        weir::detail::enable_ring(ring_);
    }
    bare_ring(const bare_ring&) = delete;
    bare_ring& operator=(const bare_ring&) = delete;
    ~bare_ring() { io_uring_queue_exit(&ring_); }

    // Submits so many nops in one call, waits for all in the same, and reaps them.
    void round_trip(unsigned size) {
        for (unsigned index = 0; index < size; ++index) {
            io_uring_sqe* const sqe = io_uring_get_sqe(&ring_);
            io_uring_prep_nop(sqe);
            sqe->user_data = index;
        }
        io_uring_submit_and_wait(&ring_, size);
        unsigned head = 0;
        unsigned reaped = 0;
        io_uring_cqe* cqe = nullptr;
        io_uring_for_each_cqe(&ring_, head, cqe) {
            sum_ += cqe->user_data + static_cast<std::uint64_t>(cqe->res);
            ++reaped;
        }
        io_uring_cq_advance(&ring_, reaped);
    }
    [[nodiscard]] std::uint64_t sum() const noexcept { return sum_; }

  private:
    io_uring ring_{};
    std::uint64_t sum_ = 0;
};

void bare_nop(benchmark::State& state) {
    bare_ring ring;
    for ([[maybe_unused]] auto round : state) {
        ring.round_trip(1);
    }
    benchmark::DoNotOptimize(ring.sum());
}
BENCHMARK(bare_nop)->Name("floor/nop");

void bare_nop_batch(benchmark::State& state) {
    bare_ring ring;
    const auto size = static_cast<unsigned>(state.range(0));
    while (state.KeepRunningBatch(size)) {
        ring.round_trip(size);
    }
    benchmark::DoNotOptimize(ring.sum());
}
BENCHMARK(bare_nop_batch)->Name("floor/nop_batch")->Arg(32)->Arg(256);

}  // namespace
