// Connections for calls that need one of their own: blocking commands and exclusive clients. One
// that is given back serves the next.
//
// Lifetime: shared by the client and by whoever has taken a connection. Thread: the loop's.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "client_core.hpp"

namespace weir::redisq::detail {

class core_shelf {
  public:
    // Spare connections that are kept.
    static constexpr std::size_t spare_max = 16;

    core_shelf(event_loop& loop, client_options options)
        : loop_(loop), options_(std::move(options)) {}

    // Maybe not connected yet. Throws std::bad_alloc.
    [[nodiscard]] client_handle take();
    // Requires that nobody waits for a reply on it.
    void give_back(client_handle core) noexcept;
    // Ends the spare ones, and those that will be given back.
    void close() noexcept;
    [[nodiscard]] bool is_closed() const noexcept { return is_closed_; }

  private:
    event_loop& loop_;
    client_options options_;
    std::vector<client_handle> spare_;
    bool is_closed_ = false;
};

}  // namespace weir::redisq::detail
