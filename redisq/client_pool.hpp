// client_pool: several connections to one server, for replies so large or commands so slow that
// they would hold up what stands behind them.
//
//     weir::redisq::client_pool redis("redis://localhost", 4);
//     const auto text = co_await redis.least_busy().command<std::string>("GET", "page");
//
// One connection takes a program far: a client pipelines by itself. Commands on different
// connections overtake each other; what has to stay in order goes to one client.
//
// Each client connects when it is first used. Errors and lifetime: as of client.hpp.
// Thread: the loop's.
#pragma once

#include <cstddef>
#include <deque>
#include <string_view>

#include "client.hpp"

namespace weir::redisq {

class client_pool {
  public:
    static constexpr std::size_t size_max = 1'024;

    // `size` connections at most, 1 to size_max (std::invalid_argument); the rest as client.
    client_pool(const client_options& options, std::size_t size);
    client_pool(std::string_view url, std::size_t size);

    [[nodiscard]] std::size_t size() const noexcept { return clients_.size(); }
    [[nodiscard]] client& operator[](std::size_t index) noexcept { return clients_[index]; }

    // The one with the fewest commands on their way; of equals the first, so that no more
    // connections are made than are of use.
    [[nodiscard]] client& least_busy() noexcept;

    // Closes all, as client::close().
    [[nodiscard]] task<> close();

  private:
    std::deque<client> clients_;
};

}  // namespace weir::redisq
