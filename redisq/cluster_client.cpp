#include "cluster_client.hpp"

#include "../runtime/event_loop.hpp"
#include "detail/cluster_core.hpp"
#include "detail/cluster_run.hpp"

namespace weir::redisq {

cluster_client::cluster_client(client_options options)
    : core_(std::make_shared<detail::cluster_core>(std::move(options))) {}

cluster_client& cluster_client::operator=(cluster_client&& other) noexcept {
    if (core_ != nullptr && core_ != other.core_) {
        core_->begin_close();
    }
    core_ = std::move(other.core_);
    return *this;
}

cluster_client::~cluster_client() {
    if (core_ != nullptr) {
        core_->begin_close();
    }
}

task<result<replies>> cluster_client::run(pipeline commands, call_options options) {
    return detail::run_on_cluster(core_, std::move(commands), options);
}

task<result<replies>> cluster_client::execute(const pipeline& commands, call_options options) {
    pipeline copy;
    copy.add_raw(commands.commands().bytes(), commands.size());
    return run(std::move(copy), options);
}

task<result<void>> cluster_client::connect() { return detail::refresh_cluster(core_); }

task<result<std::shared_ptr<client>>> cluster_client::client_of(std::string key) {
    return detail::find_client(core_, std::move(key));
}

task<> cluster_client::close() { return detail::close_cluster(core_); }

const cluster_counters& cluster_client::counters() const noexcept { return core_->counters(); }

std::size_t cluster_client::nodes() const noexcept { return core_->size(); }

}  // namespace weir::redisq
