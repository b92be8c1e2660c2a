#include "rq_campaign.hpp"

#include <algorithm>

#include "../support/median.hpp"
#include "../support/redis_server.hpp"
#include "raw.hpp"

namespace jobs {
namespace {

constexpr std::uint64_t jobs_max = 1'000;
// Of its drain and its steady load.
constexpr double most_s = 5;
// What its start and a bulk of jobs take at the most.
constexpr double start_s = 3;

class rq_round {
  public:
    rq_round(record& into, const rq& client, const options& asked, durability kept)
        : into_(into),
          client_(client),
          asked_(asked),
          kept_(kept),
          server_(into.cores().server, log_of(kept)),
          access_{server_.socket_path(), server_.process_id()},
          jobs_(std::min(asked.jobs, jobs_max)) {
        into.server_is(server_.version());
    }

    void run() {
        if (asked_.asks_for(phase::submit_one)) {
            into_.attempt(of(phase::submit_one), [&] { submit_one(); });
        }
        if (asked_.asks_for(phase::submit_bulk) || asked_.asks_for(phase::drain)) {
            into_.attempt(of(phase::submit_bulk), [&] { submit_bulk(); });
        }
        if (asked_.asks_for(phase::drain) && !into_.has_failed(of(phase::submit_bulk))) {
            into_.attempt(of(phase::drain), [&] { drain(); });
        }
        if (asked_.asks_for(phase::steady)) {
            into_.attempt(of(phase::steady), [&] { steady(); });
        }
    }

  private:
    [[nodiscard]] shape of(phase which) const { return {which, kept_, 1, client::rq}; }

    void submit_one() {
        flush(access_);
        into_.row_of(of(phase::submit_one))
            .rounds.push_back(into_.isolated(asked_.seconds + start_s, [&] {
                return client_.submit_one(access_, asked_.seconds);
            }));
    }

    void submit_bulk() {
        flush(access_);
        const auto before = static_cast<double>(used_memory(access_));
        const figures found =
            into_.isolated(start_s, [&] { return client_.submit_bulk(access_, jobs_); });
        const auto after = static_cast<double>(used_memory(access_));
        if (asked_.asks_for(phase::submit_bulk)) {
            row& to = into_.row_of(of(phase::submit_bulk));
            to.rounds.push_back(found);
            to.bytes_per_job.push_back((after - before) / found.jobs);
        }
    }

    void drain() {
        into_.row_of(of(phase::drain)).rounds.push_back(into_.isolated(limit_s() + start_s, [&] {
            return client_.drain(access_, jobs_, limit_s());
        }));
    }

    void steady() {
        const double submits =
            bench::median(into_.row_of(of(phase::submit_one)).rounds, &figures::jobs_per_s);
        const double runs =
            bench::median(into_.row_of(of(phase::drain)).rounds, &figures::jobs_per_s);
        const double rate = 0.5 / (1 / submits + 1 / runs);
        if (!(rate > 0)) {
            return;  // one of both was not asked for, or has failed
        }
        const double seconds = limit_s();
        const auto jobs = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(rate * seconds));
        flush(access_);
        into_.row_of(of(phase::steady)).rounds.push_back(into_.isolated(seconds + start_s, [&] {
            return client_.steady(access_, jobs, rate);
        }));
    }

    // As long as the steady load of ours.
    [[nodiscard]] double limit_s() const { return std::min(asked_.steady_seconds, most_s); }

    record& into_;
    const rq& client_;
    const options& asked_;
    durability kept_;
    bench::redis_server server_;
    server_access access_;
    std::uint64_t jobs_;
};

}  // namespace

void run_rq(record& into, const rq& client, const options& asked, durability kept) {
    rq_round(into, client, asked, kept).run();
}

}  // namespace jobs
