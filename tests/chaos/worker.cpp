// A worker that tells its journal what it starts (S), has done (D), fails at (F) and is stopped in
// (C).
#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <weir/redisq/jobs/worker.hpp>
#include <weir/runtime/sleep.hpp>

#include "actors.hpp"
#include "journal.hpp"
#include "order.hpp"

namespace chaos {
namespace {

using std::chrono::milliseconds;
using namespace weir::redisq;

constexpr milliseconds retry_delay{80};
constexpr std::uint32_t attempts_max = 10;

void start(journal& log, const order& wanted, job_context& job) {
    log.write('S', wanted.token, job.id(),
              std::to_string(job.attempt()) + " " + std::to_string(job.crashes()));
    if (wanted.token.empty() || wanted.filler != filler_of(wanted.token, wanted.filler.size())) {
        log.write('F', wanted.token, job.id(), "damaged payload");
        throw give_up("chaos: damaged payload");
    }
}

weir::task<> work(journal* log, order wanted, job_context* job) {
    start(*log, wanted, *job);
    try {
        co_await weir::sleep_for(std::chrono::microseconds(wanted.run_us));
    } catch (const weir::canceled&) {
        log->write('C', wanted.token, job->id());
        throw;
    }
    if (wanted.is_hopeless) {
        log->write('F', wanted.token, job->id(), "hopeless");
        throw give_up("chaos: hopeless");
    }
    if (job->attempt() <= wanted.fails) {
        log->write('F', wanted.token, job->id(), "on purpose");
        throw std::runtime_error("chaos: fails on purpose");
    }
    log->write('D', wanted.token, job->id());
}

weir::task<std::string> work_and_answer(journal* log, order wanted, job_context* job) {
    std::string answer = "made of " + wanted.token;
    co_await work(log, std::move(wanted), job);
    co_return answer;
}

struct plain_handler {
    journal* log;
    weir::task<> operator()(order wanted, job_context& job) const {
        return work(log, std::move(wanted), &job);
    }
};

struct answering_handler {
    journal* log;
    weir::task<std::string> operator()(order wanted, job_context& job) const {
        return work_and_answer(log, std::move(wanted), &job);
    }
};

}  // namespace

int run_worker(const settings& chosen) {
    journal log(chosen.text("journal"));
    worker_options options;
    options.max_concurrency = static_cast<std::size_t>(chosen.number("concurrency"));
    options.lease = milliseconds(chosen.number("lease_ms"));
    options.heartbeat = milliseconds(chosen.number("heartbeat_ms"));
    options.grace = milliseconds(chosen.number("grace_ms"));
    options.label = chosen.text("label");
    options.on_report = [&log](const std::string& text) { log.write('R', {}, {}, text); };
    options.on_warning = [](const std::string&) {};
    handler_options handling;
    handling.retry = retry_policy::fixed(retry_delay, attempts_max);

    worker actor(chosen.text("url"), options);
    actor.serve(queue_name)
        .on(plain_order, plain_handler{&log}, handling)
        .on(answered_order, answering_handler{&log}, handling);
    log.write('B');
    const int code = actor.run_until_signal();
    const worker_stats done = actor.stats();
    log.write('X', std::to_string(code), {},
              "recovered " + std::to_string(done.recovered) + " lost " + std::to_string(done.lost) +
                  " leases_lost " + std::to_string(done.leases_lost));
    return code;
}

}  // namespace chaos
