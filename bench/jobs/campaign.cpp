#include "campaign.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <functional>
#include <set>
#include <tuple>

#include "../resp/bench_error.hpp"
#include "../resp/isolate.hpp"
#include "../resp/redis_server.hpp"
#include "ours.hpp"
#include "raw.hpp"

namespace jobs {
namespace {

using clock = std::chrono::steady_clock;
using seconds = std::chrono::duration<double>;

// --quick: no part of a round starts that would not end before this.
constexpr seconds quick_last{44};
constexpr std::uint64_t bulk_depth = 4'096;
constexpr std::chrono::seconds patience{20};
// What is waited for a job of a backlog at the most.
constexpr double patience_a_job_s = 1e-4;

class campaign {
  public:
    campaign(const options& asked, bool progress)
        : asked_(asked), progress_(progress), cores_(resp::choose_cores()) {
        if (cores_.server == cores_.client) {
            out_.notes.emplace_back("only one processor may be used: server and jobs share it");
        }
    }

    outcome run() {
        std::uint64_t skipped = 0;
        for (std::uint64_t round = 0; round < asked_.rounds; ++round) {
            for (const durability kept : asked_.kept) {
                if (asked_.quick && round > 0 && elapsed() + longest_part_ > quick_last) {
                    ++skipped;
                    continue;
                }
                const clock::time_point began = clock::now();
                place_ = "round " + std::to_string(round + 1) + " of " +
                         std::to_string(asked_.rounds) + ", " + std::string(name_of(kept)) + ": ";
                run_part(kept);
                longest_part_ = std::max<seconds>(longest_part_, clock::now() - began);
            }
        }
        say("");
        if (skipped > 0) {
            out_.notes.push_back("to end within 50 s, " + std::to_string(skipped) + " of " +
                                 std::to_string(asked_.rounds * asked_.kept.size()) +
                                 " parts of rounds were left out");
        }
        std::ranges::sort(out_.figures.rows, {}, [](const row& each) {
            return std::tuple(each.of.kept, each.of.of, each.of.threads);
        });
        return std::move(out_);
    }

  private:
    void run_part(durability kept) {
        const resp::redis_server server(
            cores_, {.append_only = kept == durability::everysec, .filled = false});
        out_.figures.server = server.version();
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
        attempt(of, [&] {
            flush(server);
            const figures ours = isolated(
                asked_.seconds, [&] { return submit_each(server, producers, asked_.seconds); });
            flush(server);
            const raw_submit how{.depth = producers, .seconds = asked_.seconds};
            const figures raw = isolated(asked_.seconds, [&] { return submit_raw(server, how); });
            row& into = row_of(of);
            into.rounds.push_back(ours);
            into.ceilings.push_back(raw.jobs_per_s);
        });
    }

    // A backlog for each count of threads, and one more by hand.
    void run_backlogs(const server_access& server, durability kept) {
        const shape bulk{phase::submit_bulk, kept, 1};
        const bool drains = asked_.asks_for(phase::drain);
        for (const std::uint64_t threads : asked_.threads) {
            attempt(bulk, [&] { fill(server, bulk); });
            const shape of{phase::drain, kept, threads};
            if (drains && !failed_.contains(text_of(bulk))) {
                attempt(of, [&] {
                    row_of(of).rounds.push_back(
                        isolated(backlog_s(), [&] { return drain(server, asked_.jobs, threads); }));
                });
            }
        }
        attempt({phase::drain, kept, 0}, [&] {
            flush(server);
            const raw_submit how{.depth = bulk_depth, .jobs = asked_.jobs};
            const figures filled = isolated(backlog_s(), [&] { return submit_raw(server, how); });
            if (asked_.asks_for(phase::submit_bulk)) {
                row_of(bulk).ceilings.push_back(filled.jobs_per_s);
            }
            if (!drains) {
                return;
            }
            const figures raw = isolated(backlog_s(), [&] { return drain_raw(server); });
            for (const std::uint64_t threads : asked_.threads) {
                row_of({phase::drain, kept, threads}).ceilings.push_back(raw.jobs_per_s);
            }
        });
    }

    void fill(const server_access& server, const shape& of) {
        flush(server);
        const auto before = static_cast<double>(used_memory(server));
        const figures ours =
            isolated(backlog_s(), [&] { return submit_bulk(server, asked_.jobs); });
        const auto after = static_cast<double>(used_memory(server));
        if (asked_.asks_for(phase::submit_bulk)) {
            row_of(of).rounds.push_back(ours);
            row_of(of).bytes_per_job.push_back((after - before) / ours.jobs);
        }
    }

    void run_steady(const server_access& server, const shape& of) {
        attempt(of, [&] {
            steady_load load;
            load.jobs_per_s = asked_.rate != 0 ? static_cast<double>(asked_.rate) : half_load(of);
            load.seconds = asked_.steady_seconds;
            load.producers = asked_.producers;
            load.threads = of.threads;
            flush(server);
            row_of(of).rounds.push_back(
                isolated(load.seconds, [&] { return steady(server, load); }));
        });
    }

    // Producers and worker share a core, so each job takes the time of both.
    [[nodiscard]] double half_load(const shape& of) {
        const double submits =
            median(row_of({phase::submit_concurrent, of.kept, 1}), &figures::jobs_per_s);
        const double runs =
            median(row_of({phase::drain, of.kept, of.threads}), &figures::jobs_per_s);
        const double both = 1 / (1 / submits + 1 / runs);
        if (std::isnan(both)) {
            throw resp::bench_error(
                "half load is not known, since submit_concurrent or drain failed");
        }
        return both / 2;
    }

    template <class Work>
    figures isolated(double expected_s, const Work& work) const {
        const auto limit =
            patience + std::chrono::ceil<std::chrono::seconds>(seconds(expected_s * 4));
        return resp::isolate<figures>(cores_.client, limit, work);
    }

    [[nodiscard]] double backlog_s() const {
        return static_cast<double>(asked_.jobs) * patience_a_job_s;
    }

    void attempt(const shape& of, const std::function<void()>& work) {
        const std::string text = text_of(of);
        if (failed_.contains(text)) {
            return;
        }
        say(place_ + text);
        try {
            work();
        } catch (const std::exception& error) {
            failed_.insert(text);
            out_.failed = true;
            out_.notes.push_back(text + ": " + error.what());
        }
    }

    // "drain, everysec, 2 threads"
    static std::string text_of(const shape& of) {
        const std::string who = of.threads == 0   ? "by hand"
                                : of.threads == 1 ? "1 thread"
                                                  : std::to_string(of.threads) + " threads";
        return std::string(name_of(of.of)) + ", " + std::string(name_of(of.kept)) + ", " + who;
    }

    row& row_of(const shape& of) {
        const auto found = std::ranges::find(out_.figures.rows, of, &row::of);
        return found != out_.figures.rows.end()
                   ? *found
                   : out_.figures.rows.emplace_back(row{of, {}, {}, {}});
    }

    [[nodiscard]] seconds elapsed() const { return clock::now() - started_; }
    void say(const std::string& text) const {
        if (progress_) {
            std::fprintf(stderr, "\r\033[K%s", text.c_str());
        }
    }

    const options& asked_;
    bool progress_;
    clock::time_point started_ = clock::now();
    resp::core_pair cores_;
    std::set<std::string> failed_;
    seconds longest_part_{0};
    std::string place_;
    outcome out_;
};

}  // namespace

outcome run_campaign(const options& asked, bool progress) {
    outcome out = campaign(asked, progress).run();
    std::erase_if(out.figures.rows, [](const row& each) { return each.rounds.empty(); });
    return out;
}

}  // namespace jobs
