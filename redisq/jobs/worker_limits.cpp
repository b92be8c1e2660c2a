// The limits of one type: how many of its jobs run here, and how many start in all workers.
//
// Jobs that may not start keep their slots, up to half of all slots; what is beyond goes to the
// delayed jobs, the youngest of the longest line first and so few at a time that a deep backlog of
// such jobs costs Redis next to nothing. While the other half of the slots is taken by them
// meanwhile, nothing else is read.
//
// A rate is asked for by one task for each type and queue, for all who wait there at once.
#include <algorithm>
#include <utility>

#include "../../runtime/sleep.hpp"
#include "detail/worker_core.hpp"

namespace weir::redisq::detail {
namespace {

constexpr std::size_t starts_at_once = 100;
constexpr duration gate_wait_longest = std::chrono::seconds(1);
constexpr std::size_t deferred_at_once = 10;
constexpr duration defer_pause = std::chrono::milliseconds(100);
constexpr duration deferred_least = std::chrono::milliseconds(500);
constexpr duration deferred_most = std::chrono::seconds(60);

std::chrono::microseconds interval_of(const handler_options& limits) {
    return std::max(
        std::chrono::duration_cast<std::chrono::microseconds>(limits.rate_period) / limits.rate,
        std::chrono::microseconds(1));
}

}  // namespace

// False: it waits for its turn.
bool worker_core::may_start(job_context& job, handler_state& state) {
    if (job.may_start_) {
        return true;
    }
    if (state.handler->options().rate != 0) {
        rate_gate& gate = *state.gates[job.queue_->index];
        hold(job, gate.waiting);
        if (!gate.is_asking) {
            tasks_->spawn(guarded(gate_loop(&state, job.queue_)));
            gate.is_asking = true;
        }
        return false;
    }
    if (state.is_full()) {
        hold(job, state.parked);
        return false;
    }
    return true;
}

void worker_core::hold(job_context& job, waiting_jobs& where) noexcept {
    job.place_ = job_context::place::held;
    job.waits_in_ = &where;
    where.jobs.push_back(job);
    ++where.count;
    ++held_count_;
    if (holds_too_many()) {
        crowded_.set();
    }
}

// A job that is held may start.
void worker_core::pass(job_context& job, handler_state& state) noexcept {
    take_out(job);
    job.may_start_ = true;
    ++state.passed;
    job.place_ = job_context::place::passed;
    passed_.push_back(job);
    startable_.set();
}

void worker_core::let_parked_pass(handler_state& state) noexcept {
    while (state.parked.count != 0 && !state.is_full()) {
        pass(state.parked.jobs.front(), state);
    }
    if (!state.gates.empty()) {
        state.has_room.set();
    }
}

// Out of its list, wherever it waits; it is nowhere then.
void worker_core::take_out(job_context& job) noexcept {
    if (job.place_ == job_context::place::ready) {
        --ready_count_;
        --job.queue_->ready[job.lane_];
    } else if (job.place_ == job_context::place::held) {
        --held_count_;
    }
    if (waiting_jobs* const from = std::exchange(job.waits_in_, nullptr)) {
        --from->count;
    }
    if (job.is_linked()) {
        job.unlink();
    }
    job.place_ = job_context::place::none;
}

// It was let through, and does not start after all.
void worker_core::forget_pass(job_context& job) noexcept {
    if (!std::exchange(job.may_start_, false)) {
        return;
    }
    handler_state& state = *find_handler(job.envelope_.type);
    --state.passed;
    let_parked_pass(state);
}

task<> worker_core::gate_loop(handler_state* state, worker_queue* queue) {
    rate_gate& gate = *state->gates[queue->index];
    while (gate.waiting.count != 0) {
        const std::size_t wanted = std::min({gate.waiting.count, starts_at_once, state->room()});
        if (wanted == 0) {
            state->has_room.reset();
            co_await state->has_room.wait();
            continue;
        }
        state->passed += wanted;  // nobody else takes their room meanwhile
        const std::size_t granted = co_await ask_for_starts(state, queue, wanted);
        state->passed -= wanted;
        for (std::size_t i = 0; i < granted && gate.waiting.count != 0; ++i) {
            pass(gate.waiting.jobs.front(), *state);
        }
        state->has_room.set();  // it may be less than was asked for, and other gates wait
        if (granted < wanted) {
            co_await sleep_until(
                std::min(gate.next, saturating_add(loop_.now(), gate_wait_longest)));
        }
    }
    gate.is_asking = false;
}

// How many of them may start now; the gate's `next` tells when more may.
task<std::size_t> worker_core::ask_for_starts(handler_state* state, worker_queue* queue,
                                              std::size_t wanted) {
    const handler_options& limits = state->handler->options();
    script_runner::words keys;
    keys.push_back(queue->keys.rate(state->handler->type()));
    script_runner::words arguments;
    arguments.push_back(std::to_string(interval_of(limits).count()));
    arguments.push_back(std::to_string(limits.rate_burst));
    arguments.push_back(std::to_string(wanted));
    const result<resp::reply> answer =
        co_await queue->scripts.run(scripts::rate, std::move(keys), std::move(arguments));
    time_point& next = state->gates[queue->index]->next;
    if (!answer || answer->view().size() != 2) {
        if (!answer && answer.error().from_server()) {
            report_trouble(*queue, "the rate of '" + state->handler->type() +
                                       "' cannot be asked for: " + answer.error().message());
        }
        next = saturating_add(loop_.now(), gate_wait_longest);
        co_return 0;
    }
    next = saturating_add(loop_.now(), std::chrono::microseconds(answer->view()[1].integer()));
    co_return static_cast<std::size_t>(answer->view()[0].integer());
}

bool worker_core::holds_too_many() const noexcept {
    return held_count_ > options_.max_concurrency / 2;
}

task<> worker_core::defer_loop() {
    for (;;) {
        if (!holds_too_many()) {
            crowded_.reset();
            co_await crowded_.wait();
        }
        co_await sleep_for(defer_pause);
        for (std::size_t i = 0; i < deferred_at_once && holds_too_many(); ++i) {
            defer_one();
        }
    }
}

// The youngest of the longest line: its turn comes last.
void worker_core::defer_one() {
    waiting_jobs* line = nullptr;
    duration wait = duration::zero();
    for (const auto& state : states_) {
        if (line == nullptr || state->parked.count > line->count) {
            line = &state->parked;
            wait = duration::zero();
        }
        for (const auto& gate : state->gates) {
            if (gate->waiting.count > line->count) {
                line = &gate->waiting;
                const auto ahead = static_cast<std::int64_t>(line->count);
                wait = std::max(gate->next - loop_.now(), duration::zero()) +
                       interval_of(state->handler->options()) * ahead;
            }
        }
    }
    if (line == nullptr || line->count == 0) {
        return;
    }
    job_context& job = line->jobs.pop_back();
    take_out(job);
    ++stats_.deferred;
    const std::chrono::milliseconds jitter(random_.next() % 1000);
    retry(job, std::clamp(wait, deferred_least, deferred_most) + jitter, "", false);
}

}  // namespace weir::redisq::detail
