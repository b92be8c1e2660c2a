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
    : core_(new detail::client_core(running_loop(), std::move(options))) {}

client::client(std::string_view url) : client(client_options(url)) {}

task<result<void>> client::connect() {
    co_return co_await command<void>(idempotent, "PING");
}

task<> client::close() { return core_->close(); }

}  // namespace weir::redisq
