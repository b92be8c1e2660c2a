#include "campaign.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "../support/bench_error.hpp"
#include "../support/median.hpp"
#include "../support/redis_server.hpp"
#include "ours.hpp"
#include "raw.hpp"
#include "record.hpp"
#include "rq_campaign.hpp"

namespace jobs {
namespace {

using clock = std::chrono::steady_clock;
using seconds = std::chrono::duration<double>;

// --quick: no part of a round starts that would not end before this, nor RQ after that.
constexpr seconds quick_last{44};
constexpr seconds rq_latest{25};
constexpr std::uint64_t bulk_depth = 4'096;
// What is waited for a job of a backlog at the most.
constexpr double patience_a_job_s = 1e-4;

class campaign {
  public:
    campaign(const options& asked, bool progress) : asked_(asked), into_(progress) {
        if (into_.cores().server == into_.cores().client) {
            into_.note("only one processor may be used: server and jobs share it");
        }
        if (asked.asks_for(client::rq)) {
            rq_.emplace();
        }
        if (rq_ && !rq_->missing().empty()) {
            into_.note("rq is left out: " + rq_->missing());
            rq_.reset();
        }
    }

    outcome run() {
        std::uint64_t skipped = 0;
        for (std::uint64_t round = 0; round < asked_.rounds; ++round) {
            for (const durability kept : asked_.kept) {
                into_.enter("round " + std::to_string(round + 1) + " of " +
                            std::to_string(asked_.rounds) + ", ");
                if (rq_ && !asked_.quick) {
                    run_rq(into_, *rq_, asked_, kept);
                }
                if (!asked_.asks_for(client::weir)) {
                    continue;
                }
                if (asked_.quick && round > 0 && elapsed() + longest_part_ > quick_last) {
                    ++skipped;
                    continue;
                }
                const clock::time_point began = clock::now();
                run_part(kept);
                longest_part_ = std::max<seconds>(longest_part_, clock::now() - began);
            }
            if (rq_ && asked_.quick && round == 0) {
                run_rq_once();
            }
        }
        if (skipped > 0) {
            into_.note("to end within 50 s, " + std::to_string(skipped) + " of " +
                       std::to_string(asked_.rounds * asked_.kept.size()) +
                       " parts of rounds were left out");
        }
        return std::move(into_).finish();
    }

  private:
    // Time is short with --quick.
    void run_rq_once() {
        if (elapsed() > rq_latest) {
            into_.note("rq is left out, to end within 50 s");
        } else {
            run_rq(into_, *rq_, asked_, asked_.kept.front());
        }
    }

    void run_part(durability kept) {
        const bench::redis_server server(into_.cores().server, log_of(kept));
        into_.server_is(server.version());
        const server_access access{server.socket_path(), server.process_id()};
        if (asked_.asks_for(phase::submit_one)) {
            run_submit(access, {phase::submit_one, kept, 1}, 1);
        }
        if (asked_.asks_for(phase::submit_concurrent)) {
            run_submit(access, {phase::submit_concurrent, kept, 1}, asked_.producers);
        }
        if (asked_.asks_for(phase::submit_bulk) || asked_.asks_for(phase::drain)) {
            run_backlogs(access, kept);
        }
        if (asked_.asks_for(phase::steady)) {
            for (const std::uint64_t threads : asked_.threads) {
                // Time is short there.
                if (!asked_.quick || threads == asked_.threads.front()) {
                    run_steady(access, {phase::steady, kept, threads});
                }
            }
        }
    }

    void run_submit(const server_access& server, const shape& of, std::uint64_t producers) {
        into_.attempt(of, [&] {
            flush(server);
            const figures ours = into_.isolated(
                asked_.seconds, [&] { return submit_each(server, producers, asked_.seconds); });
            flush(server);
            const raw_submit how{.depth = producers, .seconds = asked_.seconds};
            const figures raw =
                into_.isolated(asked_.seconds, [&] { return submit_raw(server, how); });
            row& into = into_.row_of(of);
            into.rounds.push_back(ours);
            into.ceilings.push_back(raw.jobs_per_s);
        });
    }

    // A backlog for each count of threads, and one more by hand.
    void run_backlogs(const server_access& server, durability kept) {
        const shape bulk{phase::submit_bulk, kept, 1};
        const bool drains = asked_.asks_for(phase::drain);
        for (const std::uint64_t threads : asked_.threads) {
            into_.attempt(bulk, [&] { fill(server, bulk); });
            const shape of{phase::drain, kept, threads};
            if (drains && !into_.has_failed(bulk)) {
                into_.attempt(of, [&] {
                    into_.row_of(of).rounds.push_back(into_.isolated(
                        backlog_s(), [&] { return drain(server, asked_.jobs, threads); }));
                });
            }
        }
        into_.attempt({phase::drain, kept, 0}, [&] {
            flush(server);
            const raw_submit how{.depth = bulk_depth, .jobs = asked_.jobs};
            const figures filled =
                into_.isolated(backlog_s(), [&] { return submit_raw(server, how); });
            if (asked_.asks_for(phase::submit_bulk)) {
                into_.row_of(bulk).ceilings.push_back(filled.jobs_per_s);
            }
            if (!drains) {
                return;
            }
            const figures raw = into_.isolated(backlog_s(), [&] { return drain_raw(server); });
            for (const std::uint64_t threads : asked_.threads) {
                into_.row_of({phase::drain, kept, threads}).ceilings.push_back(raw.jobs_per_s);
            }
        });
    }

    void fill(const server_access& server, const shape& of) {
        flush(server);
        const auto before = static_cast<double>(used_memory(server));
        const figures ours =
            into_.isolated(backlog_s(), [&] { return submit_bulk(server, asked_.jobs); });
        const auto after = static_cast<double>(used_memory(server));
        if (asked_.asks_for(phase::submit_bulk)) {
            into_.row_of(of).rounds.push_back(ours);
            into_.row_of(of).bytes_per_job.push_back((after - before) / ours.jobs);
        }
    }

    void run_steady(const server_access& server, const shape& of) {
        into_.attempt(of, [&] {
            steady_load load;
            load.jobs_per_s = asked_.rate != 0 ? static_cast<double>(asked_.rate) : half_load(of);
            load.seconds = asked_.steady_seconds;
            load.producers = asked_.producers;
            load.threads = of.threads;
            flush(server);
            into_.row_of(of).rounds.push_back(
                into_.isolated(load.seconds, [&] { return steady(server, load); }));
        });
    }

    // Producers and worker share a core, so each job takes the time of both.
    [[nodiscard]] double half_load(const shape& of) {
        const double submits = bench::median(
            into_.row_of({phase::submit_concurrent, of.kept, 1}).rounds, &figures::jobs_per_s);
        const double runs = bench::median(into_.row_of({phase::drain, of.kept, of.threads}).rounds,
                                          &figures::jobs_per_s);
        const double both = 1 / (1 / submits + 1 / runs);
        if (std::isnan(both)) {
            throw bench::bench_error(
                "half load is not known, since submit_concurrent or drain failed");
        }
        return both / 2;
    }

    [[nodiscard]] double backlog_s() const {
        return static_cast<double>(asked_.jobs) * patience_a_job_s;
    }

    [[nodiscard]] seconds elapsed() const { return clock::now() - started_; }

    const options& asked_;
    record into_;
    std::optional<rq> rq_;
    clock::time_point started_ = clock::now();
    seconds longest_part_{0};
};

}  // namespace

outcome run_campaign(const options& asked, bool progress) {
    return campaign(asked, progress).run();
}

}  // namespace jobs
