#include "campaign.hpp"

#include <algorithm>
#include <chrono>
#include <exception>

#include "../support/cores.hpp"
#include "../support/progress_line.hpp"

namespace echo {
namespace {

using clock = std::chrono::steady_clock;
using seconds = std::chrono::duration<double>;

// --quick: the windows are such that all ends at `quick_target`; no measurement starts that would
// not end before `quick_last`.
constexpr seconds quick_target{43};
constexpr seconds quick_last{46};
constexpr double quick_window_min_s = 0.02;
constexpr double quick_window_max_s = 1.0;
// Rather fewer rounds than windows so short that they show how a server begins.
constexpr double quick_window_wanted_s = 0.25;
// What starting, connecting and stopping take until that has been measured.
constexpr double overhead_guess_s = 0.1;
constexpr double connection_guess_s = 100e-6;
constexpr double warm_up_share = 0.15;
constexpr double warm_up_max_s = 0.2;

std::chrono::nanoseconds nanoseconds_of(double of) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(seconds(of));
}

class campaign {
  public:
    campaign(const options& asked, bool progress)
        : asked_(asked), progress_(progress), cores_(bench::choose_cores()), rounds_(asked.rounds) {
        if (asked.quick && !asked.seconds_given) {
            rounds_ = std::clamp<std::uint64_t>(rounds_that_fit(), 1, asked.rounds);
        }
        left_ = rounds_ * asked.shapes.size() * asked.servers.size();
        for (const shape& of : asked.shapes) {
            for (const server* const which : asked.servers) {
                row each;
                each.server = which->name;
                each.of = of;
                rows_.push_back(std::move(each));
            }
        }
        failed_.resize(asked.servers.size());
        longest_.resize(asked.shapes.size());
    }

    outcome run() {
        if (cores_.server == cores_.client) {
            note("only one processor may be used: server and load generator share it");
        }
        bench::pin(cores_.client);
        for (std::size_t index = 0; index < asked_.servers.size(); ++index) {
            guarded(index, [&] { look_at_idle(index); });
        }
        for (std::uint64_t round = 0; round < rounds_; ++round) {
            for (std::size_t index = 0; index < asked_.shapes.size(); ++index) {
                run_shape(round, index);
            }
        }
        progress_.say("");
        if (skipped_ > 0) {
            note(std::to_string(skipped_) + " of " + std::to_string(rounds_ * rows_.size()) +
                 " measurements were left out to end within 50 s");
        }
        std::erase_if(rows_, [](const row& each) { return each.rounds.empty(); });
        out_.rows = std::move(rows_);
        return std::move(out_);
    }

  private:
    // Each round starts with another server.
    void run_shape(std::uint64_t round, std::size_t shape_index) {
        const std::size_t count = asked_.servers.size();
        for (std::size_t place = 0; place < count; ++place) {
            const std::size_t index = (place + round) % count;
            guarded(index, [&] { run_one(round, shape_index, index); });
            --left_;
        }
    }

    void look_at_idle(std::size_t index) {
        const server& which = *asked_.servers[index];
        progress_.say("idle connections of " + std::string(which.name));
        const double bytes = idle_connection_bytes(which, asked_.idle, cores_);
        for (row& each : rows_) {
            if (each.server == which.name) {
                each.idle_bytes = bytes;
            }
        }
    }

    void run_one(std::uint64_t round, std::size_t shape_index, std::size_t index) {
        if (asked_.quick && elapsed() + expected(shape_index) > quick_last) {
            ++skipped_;
            return;
        }
        row& target = rows_[shape_index * asked_.servers.size() + index];
        progress_.say("round " + std::to_string(round + 1) + " of " + std::to_string(rounds_) +
                      ": " + target.server + ", " + shape_text(target.of));
        const double window = window_s();
        run_plan plan;
        plan.which = asked_.servers[index];
        plan.of = target.of;
        plan.rate = asked_.rate;
        plan.warm_up = nanoseconds_of(std::min(window * warm_up_share, warm_up_max_s));
        plan.window = nanoseconds_of(window);
        plan.cores = cores_;
        const auto before = clock::now();
        target.rounds.push_back(measure(plan));
        const seconds took = clock::now() - before;
        longest_[shape_index] = std::max(longest_[shape_index], took);
        overhead_s_ += took.count() - window;
        ++measured_;
    }

    // How many rounds of windows that are long enough end in time.
    [[nodiscard]] std::uint64_t rounds_that_fit() const {
        double round_s = 0;
        for (const shape& of : asked_.shapes) {
            round_s += static_cast<double>(asked_.servers.size()) *
                       (quick_window_wanted_s * (1 + warm_up_share) + overhead_guess_s +
                        connection_guess_s * static_cast<double>(of.connections));
        }
        return static_cast<std::uint64_t>(quick_target.count() / round_s);
    }

    // How long a measurement of that shape takes: as the longest one so far.
    [[nodiscard]] seconds expected(std::size_t shape_index) const {
        const seconds longest = longest_[shape_index];
        const double guess =
            overhead_guess_s +
            connection_guess_s * static_cast<double>(asked_.shapes[shape_index].connections);
        return longest.count() > 0 ? longest : seconds(guess);
    }

    // How long to measure now: as asked, and with --quick no more than leaves time for the rest.
    [[nodiscard]] double window_s() const {
        if (!asked_.quick) {
            return asked_.seconds;
        }
        const double overhead =
            measured_ == 0 ? overhead_guess_s : overhead_s_ / static_cast<double>(measured_);
        const double share =
            seconds(quick_target - elapsed()).count() / static_cast<double>(left_) - overhead;
        return std::clamp(share, quick_window_min_s,
                          asked_.seconds_given ? std::max(asked_.seconds, quick_window_min_s)
                                               : quick_window_max_s);
    }

    // A server that fails once is left out from then on.
    template <class Work>
    void guarded(std::size_t index, Work work) {
        if (failed_[index]) {
            return;
        }
        try {
            work();
        } catch (const std::exception& error) {
            failed_[index] = true;
            out_.failed = true;
            note(std::string(asked_.servers[index]->name) + ": " + error.what());
        }
    }

    [[nodiscard]] seconds elapsed() const { return clock::now() - started_; }
    void note(const std::string& text) { out_.notes.push_back(text); }

    const options& asked_;
    bench::progress_line progress_;
    bench::core_pair cores_;
    std::uint64_t rounds_;
    clock::time_point started_ = clock::now();
    std::vector<row> rows_;
    std::vector<bool> failed_;      // by server
    std::vector<seconds> longest_;  // by shape
    std::uint64_t left_ = 0;
    std::uint64_t measured_ = 0;
    std::uint64_t skipped_ = 0;
    double overhead_s_ = 0;
    outcome out_;
};

}  // namespace

outcome run_campaign(const options& asked, bool progress) {
    return campaign(asked, progress).run();
}

}  // namespace echo
