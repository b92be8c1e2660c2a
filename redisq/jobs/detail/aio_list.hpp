// What stands behind aio_task: the list nb_aio_task:<queue>, consumed safely.
//
// A consumer has these keys, behind nb_aio_task:<queue>
//   :running:<id>  hash: the elements that it has taken, by numbers of its own, until they have
//   ended :arrived:<id>  list: what a wait for more has brought, taken next :lease:<id>    string
//   that expires unless it is renewed
// and stands in the set :consumers. Whoever finds one without lease there puts its elements back.
// What fails, cannot be read or is too large goes to the list :failed, with the reason behind a
// line feed.
//
// Each step is a script that may be repeated (../scripts_aio.cpp), for the elements of a take have
// numbers that the consumer has given, and an end names its number: whatever reply is lost, nothing
// is, and nothing runs twice for it. A wait (BLMOVE) ends before the lease of who dies waiting.
//
// Thread: the loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "../../../pool/pool.hpp"
#include "../../../runtime/event.hpp"
#include "../../client.hpp"
#include "../aio_call.hpp"
#include "random.hpp"
#include "script_runner.hpp"

namespace weir::redisq {

struct aio_options {
    // Calls that run at a time, 1 to 1,000,000.
    std::size_t max_concurrency = 50;
    // After how long without news a consumer is taken for dead; 100 ms to a day.
    duration lease = std::chrono::seconds(30);
    // Names of the function's parameters, for calls with kwargs; empty: none is taken by name.
    std::vector<std::string> parameters = {};
    // Told once of a server that does not answer, or refuses, and once when it goes on. Must not
    // throw. Empty: one line on standard error.
    std::function<void(const std::string&)> on_report = {};

    // Throws std::invalid_argument.
    void check() const;
};

namespace detail {

class aio_list {
  public:
    using handler = std::function<task<>(aio_call)>;

    aio_list(client& server, std::string_view queue, aio_options options);

    [[nodiscard]] task<> push(std::string element);
    // Until stop(), or the stop of the calling task; then waits for what runs.
    [[nodiscard]] task<> consume(handler function);
    void stop() noexcept;
    [[nodiscard]] task<std::size_t> size();
    [[nodiscard]] task<> clear();
    [[nodiscard]] const aio_options& options() const noexcept { return options_; }
    [[nodiscard]] client& server() const noexcept { return server_; }

  private:
    struct consumer;
    struct trouble;

    task<> fetch_loop(consumer* self);
    task<result<void>> take_or_wait(consumer* self, std::size_t count);
    task<result<void>> wait_for_more(consumer* self);
    task<> beat_loop(consumer* self);
    task<result<bool>> beat(consumer* self);
    task<result<bool>> give_back(std::string id, bool forget, time_point until);
    static task<> run_one(aio_list* list, consumer* self, std::uint64_t number,
                          std::string element);
    task<> finish(consumer* self, std::uint64_t number, std::string failed);
    void report(const std::string& text) const;
    void note(trouble& of, const result<void>& outcome) const;

    client& server_;
    std::string key_;
    aio_options options_;
    random_source random_;
    script_runner scripts_;
    consumer* active_ = nullptr;
};

}  // namespace detail
}  // namespace weir::redisq
