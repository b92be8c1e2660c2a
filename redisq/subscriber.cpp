#include "subscriber.hpp"

#include "detail/subscriber_core.hpp"

namespace weir::redisq {
namespace {

using detail::name_kind;

event_loop& running_loop() noexcept {
    event_loop* const loop = event_loop::current();
    WEIR_ASSERT(loop != nullptr, "a subscriber is made by a task of a loop");
    return *loop;
}

}  // namespace

subscriber::subscriber(client_options options, subscriber_options own)
    : core_(std::make_unique<detail::subscriber_core>(running_loop(), std::move(options), own)) {}

subscriber::subscriber(std::string_view url, subscriber_options own)
    : subscriber(client_options(url), own) {}

subscriber::subscriber(subscriber&&) noexcept = default;
subscriber& subscriber::operator=(subscriber&&) noexcept = default;
subscriber::~subscriber() = default;

task<result<void>> subscriber::subscribe(std::vector<std::string> channels) {
    return core_->subscribe(name_kind::channel, std::move(channels));
}

task<result<void>> subscriber::subscribe_patterns(std::vector<std::string> patterns) {
    return core_->subscribe(name_kind::pattern, std::move(patterns));
}

task<result<void>> subscriber::subscribe_sharded(std::vector<std::string> channels) {
    return core_->subscribe(name_kind::sharded, std::move(channels));
}

void subscriber::unsubscribe(const std::vector<std::string>& channels) {
    core_->unsubscribe(name_kind::channel, channels);
}

void subscriber::unsubscribe_patterns(const std::vector<std::string>& patterns) {
    core_->unsubscribe(name_kind::pattern, patterns);
}

void subscriber::unsubscribe_sharded(const std::vector<std::string>& channels) {
    core_->unsubscribe(name_kind::sharded, channels);
}

task<result<message>> subscriber::receive() { return core_->receive(); }

std::size_t subscriber::buffered() const noexcept { return core_->buffered(); }
std::uint64_t subscriber::dropped() const noexcept { return core_->dropped(); }
std::uint64_t subscriber::losses() const noexcept { return core_->losses(); }
bool subscriber::is_connected() const noexcept { return core_->is_connected(); }
void subscriber::close() noexcept { core_->close(); }

}  // namespace weir::redisq
