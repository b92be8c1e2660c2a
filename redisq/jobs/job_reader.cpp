#include "detail/job_reader.hpp"

#include <expected>
#include <utility>

#include "detail/raw_command.hpp"

namespace weir::redisq::detail {
namespace {

// Whether another node may have the slot.
bool may_have_moved(const error& said) noexcept {
    return !said.from_server() || said == errc::moved || said == errc::cluster_down ||
           said == errc::read_only;
}

}  // namespace

job_reader::job_reader(job_server server, client_options options)
    : server_(std::move(server)), options_(std::move(options)) {
    if (!server_.is_cluster()) {
        connection_ = std::make_shared<client>(options_);
    }
}

// ref: as declared.
task<result<resp::reply>> job_reader::read(call_options options,
                                           const resp::command_buffer& command) {
    if (server_.is_cluster()) {
        const std::uint64_t before = ends_;
        const result<void> found = co_await find_owner();
        if (!found || ends_ != before) {
            co_return std::unexpected(found ? error(errc::connection_lost) : found.error());
        }
    }
    const std::shared_ptr<client> through = connection_;
    result<resp::reply> answer = co_await raw_command(through->core(), options, command);
    if (!answer && server_.is_cluster() && through == connection_) {
        is_stale_ = is_stale_ || may_have_moved(answer.error());
    }
    co_return answer;
}

task<result<void>> job_reader::find_owner() {
    if (connection_ != nullptr && !is_stale_) {
        co_return result<void>();
    }
    const result<server_host> owner = co_await server_.owner(is_stale_);
    if (!owner) {
        co_return std::unexpected(owner.error());
    }
    is_stale_ = false;
    if (connection_ != nullptr && where_ == *owner) {
        co_return result<void>();
    }
    where_ = *owner;
    options_.server.hosts.assign(1, where_);
    options_.connect_attempts = 1;  // another node may have taken the slots of one that is gone
    const std::shared_ptr<client> former =
        std::exchange(connection_, std::make_shared<client>(options_));
    if (former != nullptr) {
        former->core().disconnect(error(errc::connection_lost));
    }
    co_return result<void>();
}

void job_reader::disconnect(const error& why) noexcept {
    ++ends_;
    if (connection_ != nullptr) {
        connection_->core().disconnect(why);
    }
}

task<> job_reader::close() {
    ++ends_;
    if (connection_ != nullptr) {
        co_await connection_->close();
    }
}

}  // namespace weir::redisq::detail
