#include "campaign.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <functional>
#include <set>

#include "../support/cores.hpp"
#include "../support/isolate.hpp"
#include "../support/progress_line.hpp"
#include "../support/redis_server.hpp"
#include "contents.hpp"

namespace resp {
namespace {

using clock = std::chrono::steady_clock;
using seconds = std::chrono::duration<double>;

// --quick: the windows are such that all ends at `quick_target`; no measurement starts that would
// not end before `quick_last`.
constexpr seconds quick_target{42};
constexpr seconds quick_last{46};
constexpr double quick_window_min_s = 0.01;
constexpr double quick_window_max_s = 1.0;
// What a measurement takes beside its window until that has been measured.
constexpr double overhead_guess_s = 0.03;
constexpr double warm_up_share = 0.2;
constexpr double warm_up_max_s = 0.1;
constexpr std::chrono::seconds patience{10};

std::chrono::nanoseconds nanoseconds_of(double of) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(seconds(of));
}

// One client under one shape, or one parser with one input.
struct measurement {
    std::string who;
    std::string text;
    std::function<void(double window_s)> run;
};
// What is compared, so measured one after the other; each round starts with another one.
using group = std::vector<measurement>;

class campaign {
  public:
    campaign(const options& asked, bool progress)
        : asked_(asked),
          progress_(progress),
          cores_(bench::choose_cores()),
          server_(cores_.server) {
        fill(server_.socket_path());
        out_.figures.server = server_.version();
        if (cores_.server == cores_.client) {
            out_.notes.emplace_back("only one processor may be used: server and client share it");
        }
        add_clients();
        if (asked.parsers) {
            add_parsers();
        }
    }

    outcome run() {
        for (std::uint64_t round = 0; round < asked_.rounds; ++round) {
            for (const group& each : groups_) {
                for (std::size_t place = 0; place < each.size(); ++place) {
                    run_one(round, each[(place + round) % each.size()]);
                }
            }
        }
        progress_.say("");
        if (skipped_ > 0) {
            out_.notes.push_back(std::to_string(skipped_) +
                                 " measurements were left out to end within 50 s");
        }
        const auto unmeasured = [](const auto& row) { return row.rounds.empty(); };
        std::erase_if(out_.figures.clients, unmeasured);
        std::erase_if(out_.figures.parsers, unmeasured);
        return std::move(out_);
    }

  private:
    void add_clients() {
        for (const shape& of : asked_.shapes) {
            group added;
            for (const client* const each : asked_.clients) {
                if (!each->takes(of)) {
                    continue;
                }
                const std::size_t row = out_.figures.clients.size();
                out_.figures.clients.push_back({std::string(each->name), of, {}});
                added.push_back({std::string(each->name), text_of(of), [=, this](double window_s) {
                                     measure_client(*each, of, row, window_s);
                                 }});
            }
            add(std::move(added));
        }
    }

    void add_parsers() {
        inputs_ = record_inputs(server_.socket_path());
        for (const input& of : inputs_) {
            group added;
            for (const parser_entry& each : parsers()) {
                if (!each.missing.empty()) {
                    continue;
                }
                const std::size_t row = out_.figures.parsers.size();
                out_.figures.parsers.push_back({std::string(each.name), of.name, {}});
                added.push_back(
                    {std::string(each.name), of.name, [this, &each, &of, row](double window_s) {
                         measure_parser_once(each, of, row, window_s);
                     }});
            }
            add(std::move(added));
        }
    }

    void add(group added) {
        left_ += added.size() * asked_.rounds;
        groups_.push_back(std::move(added));
    }

    void measure_client(const client& which, const shape& of, std::size_t row, double window_s) {
        job what;
        what.socket_path = server_.socket_path();
        what.of = of;
        what.warm_up = nanoseconds_of(std::min(window_s * warm_up_share, warm_up_max_s));
        what.window = nanoseconds_of(window_s);
        out_.figures.clients[row].rounds.push_back(bench::isolate<figures>(
            cores_.client, limit_of(window_s), [&which, &what] { return which.run(what); }));
    }

    void measure_parser_once(const parser_entry& which, const input& of, std::size_t row,
                             double window_s) {
        const std::chrono::nanoseconds window = nanoseconds_of(window_s);
        out_.figures.parsers[row].rounds.push_back(bench::isolate<parser_figures>(
            cores_.client, limit_of(window_s),
            [&which, &of, window] { return which.run(of, window); }));
    }

    static std::chrono::seconds limit_of(double window_s) {
        return patience + std::chrono::ceil<std::chrono::seconds>(seconds(window_s * 4));
    }

    void run_one(std::uint64_t round, const measurement& which) {
        --left_;
        if (failed_.contains(which.who)) {
            return;
        }
        const double window = window_s();
        if (asked_.quick && elapsed() + seconds(window + overhead_s()) > quick_last) {
            ++skipped_;
            return;
        }
        progress_.say("round " + std::to_string(round + 1) + " of " +
                      std::to_string(asked_.rounds) + ": " + which.who + ", " + which.text);
        const auto before = clock::now();
        try {
            which.run(window);
        } catch (const std::exception& error) {
            failed_.insert(which.who);
            out_.failed = true;
            out_.notes.push_back(which.who + ", " + which.text + ": " + error.what());
            return;
        }
        overhead_total_s_ += seconds(clock::now() - before).count() - window;
        ++measured_;
    }

    [[nodiscard]] double overhead_s() const {
        return measured_ == 0 ? overhead_guess_s
                              : overhead_total_s_ / static_cast<double>(measured_);
    }

    // How long to measure now: as asked, and with --quick no more than leaves time for the rest.
    [[nodiscard]] double window_s() const {
        if (!asked_.quick) {
            return asked_.seconds;
        }
        const double share =
            seconds(quick_target - elapsed()).count() / static_cast<double>(left_ + 1) -
            overhead_s();
        return std::clamp(share, quick_window_min_s,
                          asked_.seconds_given ? std::max(asked_.seconds, quick_window_min_s)
                                               : quick_window_max_s);
    }

    [[nodiscard]] seconds elapsed() const { return clock::now() - started_; }

    const options& asked_;
    bench::progress_line progress_;
    clock::time_point started_ = clock::now();
    bench::core_pair cores_;
    bench::redis_server server_;
    std::vector<input> inputs_;
    std::vector<group> groups_;
    std::set<std::string> failed_;
    std::uint64_t left_ = 0;
    std::uint64_t measured_ = 0;
    std::uint64_t skipped_ = 0;
    double overhead_total_s_ = 0;
    outcome out_;
};

}  // namespace

outcome run_campaign(const options& asked, bool progress) {
    return campaign(asked, progress).run();
}

}  // namespace resp
