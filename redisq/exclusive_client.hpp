// exclusive_client: a connection of one's own, for what a shared one cannot do: WATCH.
//
//     auto own = co_await redis.exclusive();
//     if (!own) { co_return; }
//     const auto watched = co_await own->command<void>("WATCH", "stock");
//     const auto stock = co_await own->command<int>("GET", "stock");
//     weir::redisq::transaction sale;
//     sale.add("SET", "stock", stock.value_or(0) - 1);
//     const auto sold = co_await own->execute(sale);   // watch_failed: somebody was faster
//
// Nobody else's commands come in between. A connection that is lost is not made again: everything
// from then on fails with errc::connection_lost, because watches and the like went with it; ask for
// another one. Destroying it ends watches and an open MULTI, and hands the connection to the next.
// What else a connection remembers (SELECT, CLIENT SETNAME) is not to be changed.
//
// Lifetime: ends before its loop; no call runs when it is destroyed or moved. Thread: the loop's.
#pragma once

#include <memory>
#include <utility>

#include "detail/command_interface.hpp"
#include "detail/core_shelf.hpp"

namespace weir::redisq {

class exclusive_client : public detail::command_interface {
  public:
    exclusive_client(exclusive_client&&) noexcept = default;
    exclusive_client& operator=(exclusive_client&& other) noexcept {
        if (this != &other) {
            give_back();
            shelf_ = std::move(other.shelf_);
            command_interface::operator=(std::move(other));
        }
        return *this;
    }
    ~exclusive_client() { give_back(); }

    // For the library: of a connection that is ready.
    exclusive_client(detail::client_handle core, std::shared_ptr<detail::core_shelf> shelf) noexcept
        : command_interface(std::move(core)), shelf_(std::move(shelf)) {
        core_->pin(true);
    }

  private:
    void give_back() noexcept;

    std::shared_ptr<detail::core_shelf> shelf_;
};

}  // namespace weir::redisq
