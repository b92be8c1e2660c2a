#include "detail/job_link.hpp"

#include "../detail/cluster_core.hpp"

namespace weir::redisq::detail {
namespace {

bool is_cluster(const client_options& options, bool asked) noexcept {
    return asked || (options.server.master.empty() && options.server.hosts.size() > 1);
}

}  // namespace

void job_link::check(const client_options& options, bool cluster) {
    if (is_cluster(options, cluster)) {
        cluster_core::require_sound(options);
    } else {
        options.require_sound();
    }
}

job_link::job_link(const client_options& options, bool cluster) {
    if (is_cluster(options, cluster)) {
        cluster_.emplace(options);
    } else {
        only_.emplace(options);
    }
}

job_server job_link::server() noexcept {
    return only_ ? job_server(*only_) : job_server(*cluster_);
}

task<result<void>> job_link::connect() { return only_ ? only_->connect() : cluster_->connect(); }

task<> job_link::close() { return only_ ? only_->close() : cluster_->close(); }

}  // namespace weir::redisq::detail
