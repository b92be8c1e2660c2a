// A producer that tells its journal what it tries to submit (T), what was acknowledged (A), what
// was not queued for sure (N) and what may have been (E).
//
// All that it does follows from its seed, but for what the faults around it change.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>
#include <weir/redisq/client.hpp>
#include <weir/redisq/jobs/queue.hpp>
#include <weir/runtime/run.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/sleep.hpp>

#include "actors.hpp"
#include "journal.hpp"
#include "order.hpp"

namespace chaos {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using namespace weir::redisq;

constexpr std::chrono::seconds command_limit{3};
constexpr std::size_t batch_max = 40;
constexpr unsigned unique_names = 64;

enum class way : std::uint8_t { plain, safe, delayed, unique, answered, limited, many };

const char* name_of(way how) {
    switch (how) {
        case way::plain:
            return "plain";
        case way::safe:
            return "safe";
        case way::delayed:
            return "delayed";
        case way::unique:
            return "unique";
        case way::answered:
            return "answered";
        case way::limited:
            return "limited";
        case way::many:
            return "many";
    }
    return "";
}

// One of the tasks that submit at the same time.
class submitter {
  public:
    submitter(journal& log, queue& open, queue& limited, const settings& chosen, std::size_t number)
        : log_(log),
          open_(open),
          limited_(limited),
          name_(chosen.text("name") + "." + std::to_string(number)),
          pause_us_(chosen.number("pause_us")),
          random_(static_cast<std::uint64_t>(chosen.number("seed")) * 1'009 + number) {}

    weir::task<> run() {
        for (;;) {
            const way how = pick_way();
            if (how == way::many) {
                co_await submit_batch();
            } else {
                co_await submit_one(how);
            }
            co_await weir::sleep_for(microseconds(below(static_cast<unsigned>(2 * pause_us_))));
        }
    }

  private:
    unsigned below(unsigned end) {
        return std::uniform_int_distribution<unsigned>(0, end == 0 ? 0 : end - 1)(random_);
    }

    way pick_way() {
        const unsigned share = below(100);
        return share < 40   ? way::plain
               : share < 60 ? way::safe
               : share < 70 ? way::delayed
               : share < 78 ? way::unique
               : share < 88 ? way::answered
               : share < 97 ? way::limited
                            : way::many;
    }

    order make_order() {
        order made;
        made.token = name_ + "." + std::to_string(++count_);
        const unsigned share = below(100);
        made.run_us = share < 80 ? below(15'000) : share < 98 ? below(120'000) : below(600'000);
        const unsigned luck = below(100);
        made.fails = luck < 92 ? 0 : 1 + below(2);
        made.is_hopeless = luck >= 99;
        made.filler = filler_of(made.token, below(20) == 0 ? below(8'000) : below(200));
        return made;
    }

    submit_options options_for(way how, unsigned delay_ms) {
        submit_options options;
        options.lane(static_cast<int>(below(4)));
        switch (how) {
            case way::safe:
                options.repeat_safely();
                break;
            case way::delayed:
                options.repeat_safely().delay(milliseconds(delay_ms));
                break;
            case way::unique:
                options.unique("u" + std::to_string(below(unique_names)));
                break;
            case way::answered:
                options.keep_result().repeat_safely();
                break;
            default:
                break;
        }
        return options;
    }

    // Yields what to write in the journal.
    weir::task<job_handle_base> send(way how, submit_options options, order made) {
        queue& q = how == way::limited ? limited_ : open_;
        if (how == way::answered) {
            co_return co_await q.submit(options, answered_order, std::move(made));
        }
        co_return co_await q.submit(options, plain_order, std::move(made));
    }

    weir::task<> submit_one(way how) {
        order made = make_order();
        const std::string token = made.token;
        const unsigned delay_ms = how == way::delayed ? 1 + below(1'500) : 0;
        const submit_options options = options_for(how, delay_ms);
        log_.write('T', token, name_of(how), std::to_string(delay_ms));
        try {
            const job_handle_base job = co_await send(how, options, std::move(made));
            log_.write(job.is_duplicate() ? 'N' : 'A', token, job.id());
        } catch (const weir::canceled&) {
            log_.write('E', token, {}, "stopped");
            throw;
        } catch (const exception& failed) {
            // What the server has refused is not there; but a repeated submit may have been
            // accepted before its reply was lost.
            const bool refused =
                (how == way::plain || how == way::limited) && failed.code() == errc::out_of_memory;
            log_.write(refused ? 'N' : 'E', token, {}, failed.what());
        }
    }

    weir::task<> submit_batch() {
        std::vector<order> batch(2 + below(batch_max - 1));
        std::vector<std::string> tokens;
        for (order& each : batch) {
            each = make_order();
            tokens.push_back(each.token);
            log_.write('T', each.token, name_of(way::many), "0");
        }
        std::string failure;
        bool is_stopped = false;
        try {
            const std::size_t count =
                co_await open_.submit_many(plain_order, std::move(batch), lane_default);
            failure = count == tokens.size() ? "" : "only " + std::to_string(count);
        } catch (const weir::canceled&) {
            is_stopped = true;
            failure = "stopped";
        } catch (const exception& failed) {
            failure = failed.what();
        }
        for (const std::string& token : tokens) {
            if (failure.empty()) {
                log_.write('A', token, "-");
            } else {
                log_.write('E', token, {}, failure);
            }
        }
        if (is_stopped) {
            throw weir::canceled();
        }
    }

    journal& log_;
    queue& open_;
    queue& limited_;
    std::string name_;
    std::int64_t pause_us_;
    std::mt19937_64 random_;
    std::uint64_t count_ = 0;
};

// ref: the settings outlive the loop.
weir::task<> produce(const settings& chosen) {
    journal log(chosen.text("journal"));
    client_options server(chosen.text("url"));
    server.command_timeout = command_limit;
    client redis(server);
    queue open(redis, queue_name);
    queue_options options;
    options.max_length = static_cast<std::uint64_t>(chosen.number("limit"));
    queue limited(redis, queue_name, options);
    std::vector<std::unique_ptr<submitter>> submitters;
    for (std::int64_t i = 0; i < chosen.number("submitters"); ++i) {
        submitters.push_back(
            std::make_unique<submitter>(log, open, limited, chosen, static_cast<std::size_t>(i)));
    }
    log.write('B');
    weir::scope tasks;
    for (const auto& each : submitters) {
        tasks.spawn(each->run());
    }
    co_await tasks.join();
}

}  // namespace

int run_producer(const settings& chosen) {
    weir::run_options options;
    options.stop_signals = {SIGTERM, SIGINT};
    try {
        weir::run(produce(chosen), options);
    } catch (const weir::canceled&) {
        return 0;
    }
    return 0;
}

}  // namespace chaos
