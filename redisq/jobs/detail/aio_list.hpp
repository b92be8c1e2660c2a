// What stands behind aio_task: the list nb_aio_task:<queue>, consumed safely.
//
// An element moves to the consumer's own list nb_aio_task:<queue>:running:<consumer> with LMOVE and
// leaves it when its call has ended; so nothing is lost with a consumer. Each has a lease, the key
// nb_aio_task:<queue>:lease:<consumer>, which it renews; whoever finds one of
// nb_aio_task:<queue>:consumers without moves its elements back. What fails or cannot be read goes
// to nb_aio_task:<queue>:failed, with the reason behind a line feed.
//
// Thread: the loop's.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "../../../pool/pool.hpp"
#include "../../../runtime/event.hpp"
#include "../../client.hpp"
#include "../aio_call.hpp"
#include "random.hpp"

namespace weir::redisq {

struct aio_options {
    // Calls that run at a time, 1 to 1,000,000.
    std::size_t max_concurrency = 50;
    // After how long without news a consumer is taken for dead; 100 ms to a day.
    duration lease = std::chrono::seconds(30);
    // Names of the function's parameters, for calls with kwargs; empty: none is taken by name.
    std::vector<std::string> parameters = {};

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

    task<> fetch_loop(consumer* self);
    task<bool> fetch(consumer* self, std::size_t count);
    task<> beat_loop(consumer* self);
    task<> recover(consumer* self);
    task<> take_back(std::string id);
    static task<> run_one(aio_list* list, consumer* self, std::string element);
    task<> finish(consumer* self, std::string element, std::string failure);

    client& server_;
    std::string key_;
    aio_options options_;
    random_source random_;
    consumer* active_ = nullptr;
};

}  // namespace detail
}  // namespace weir::redisq
