#include "client.hpp"

namespace weir::redisq {
namespace {

event_loop& running_loop() noexcept {
    event_loop* const loop = event_loop::current();
    WEIR_ASSERT(loop != nullptr, "a client is made by a task of a loop");
    return *loop;
}

}  // namespace

client::client(client_options options)
    : command_interface(
          detail::client_handle(new detail::client_core(running_loop(), std::move(options)))),
      shelf_(std::make_shared<detail::core_shelf>(running_loop(), core_->options())) {}

client::client(std::string_view url) : client(client_options(url)) {}

task<result<exclusive_client>> client::exclusive() {
    detail::client_handle own = shelf_->take();
    detail::command_awaiter<void, char[5]> ping(*own, idempotent, "PING");
    result<void> answered = co_await ping;
    if (!answered) {
        co_return std::unexpected(std::move(answered.error()));
    }
    co_return exclusive_client(std::move(own), shelf_);
}

task<result<void>> client::connect() { co_return co_await command<void>(idempotent, "PING"); }

task<> client::close() {
    shelf_->close();
    return core_->close();
}

}  // namespace weir::redisq
