#include "crew.hpp"

#include <chrono>
#include <cstring>
#include <weir/redisq/jobs/worker.hpp>
#include <weir/runtime/run.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/sleep.hpp>

#include "producers.hpp"

namespace jobs {
namespace {

constexpr std::size_t slots = 1'000;
// How often it is looked whether all is over. Where the end is not measured, seldom.
constexpr std::chrono::microseconds look_pause{500};
constexpr std::chrono::milliseconds seldom_look_pause{10};

// A job that does nothing: it only counts itself, and looks at the clock where that is asked for.
// ref: the payload lives until the handler has ended.
weir::task<> run_job(crew::member* self, std::string_view payload) {
    // One writer, so that no locked instruction is needed.
    const std::uint64_t count = self->started.load(std::memory_order_relaxed) + 1;
    if (self->timed) {
        std::uint64_t due = 0;
        std::memcpy(&due, payload.data(), sizeof due);
        if (due >= self->sampled_from) {
            self->latencies.add(now_ns() - due);
        }
    }
    self->started.store(count, std::memory_order_relaxed);
    co_return;
}

struct job_function {
    crew::member* self;

    weir::task<> operator()(std::string_view payload) const { return run_job(self, payload); }
};

}  // namespace

struct crew_work {
    static weir::task<> stop_when_over(const crew* all, weir::redisq::worker* of) {
        const weir::duration pause =
            all->asked_.timed ? weir::duration(seldom_look_pause) : weir::duration(look_pause);
        while (!all->is_over()) {
            co_await weir::sleep_for(pause);
        }
        of->request_stop();
    }
    static weir::task<> run(const crew* all, weir::redisq::worker* of) {
        weir::scope both;
        both.spawn(of->run());
        both.spawn(stop_when_over(all, of));
        co_await both.join();
    }
};

crew::crew(settings asked) : asked_(std::move(asked)) {
    for (std::uint64_t index = 0; index < asked_.threads; ++index) {
        auto added = std::make_unique<member>();
        added->timed = asked_.timed;
        added->sampled_from = asked_.sampled_from;
        if (asked_.timed) {
            added->latencies.reserve();  // growing would move megabytes between two jobs
        }
        members_.push_back(std::move(added));
    }
    for (const auto& each : members_) {
        threads_.emplace_back([this, self = each.get()] { work(*self); });
    }
}

crew::~crew() {
    end_after(0);
    for (std::thread& each : threads_) {
        if (each.joinable()) {
            each.join();
        }
    }
}

void crew::work(member& self) {
    try {
        weir::redisq::worker_options options;
        options.max_concurrency = slots;
        options.on_report = [this](const std::string& text) {
            fail(std::make_exception_ptr(bench::bench_error("the worker reports: " + text)));
        };
        options.on_warning = [](const std::string&) {};  // durability is what is measured
        weir::redisq::worker worker(options_of(asked_.server), options);
        worker.serve(queue_name).on(job_of_bench, job_function{&self});
        weir::run(crew_work::run(this, &worker));
    } catch (...) {
        fail(std::current_exception());
    }
    self.cpu_ns = thread_cpu_ns();
}

bool crew::is_over() const {
    std::uint64_t started = 0;
    for (const auto& each : members_) {
        started += each->started.load(std::memory_order_relaxed);
    }
    return has_failed() || started >= wanted_.load(std::memory_order_relaxed);
}

void crew::fail(std::exception_ptr why) {
    const std::lock_guard hold(failure_lock_);
    if (!failure_) {
        failure_ = std::move(why);
    }
    failed_.store(true, std::memory_order_relaxed);
}

void crew::join() {
    for (std::thread& each : threads_) {
        each.join();
    }
    if (failure_) {
        std::rethrow_exception(failure_);
    }
}

bench::samples crew::latencies() const {
    bench::samples out(samples_max);
    for (const auto& each : members_) {
        out.add(each->latencies);
    }
    return out;
}

std::uint64_t crew::cpu_ns() const {
    std::uint64_t sum = 0;
    for (const auto& each : members_) {
        sum += each->cpu_ns;
    }
    return sum;
}

}  // namespace jobs
