#include "detail/job_server.hpp"

#include <algorithm>
#include <expected>
#include <optional>
#include <span>
#include <string>

#include "../../runtime/event_loop.hpp"
#include "../detail/cluster_core.hpp"
#include "../detail/cluster_run.hpp"
#include "../detail/command_keys.hpp"
#include "../slot.hpp"
#include "detail/raw_command.hpp"

namespace weir::redisq::detail {
namespace {

// Refused by a node for the sake of its slot, or by one that cannot run anything for now.
bool is_refused(const resp::reply_view& answer) {
    return answer.is_error() && is_worth_a_round(server_reply_error(answer.text()), call_options());
}

bool any_is_refused(const replies& answers) {
    for (std::size_t i = 0; i != answers.size(); ++i) {
        if (is_refused(answers[i])) {
            return true;
        }
    }
    return false;
}

std::shared_ptr<client> client_in(const cluster_core::node& node) noexcept {
    return node == nullptr ? nullptr : std::shared_ptr<client>(node, &node->connection);
}

}  // namespace

job_server job_server::of_queue(std::string_view name) const {
    job_server bound = *this;
    bound.slot_ = slot_of(name);
    return bound;
}

const client_options& job_server::options() const noexcept {
    return only_ != nullptr ? only_->options() : cluster_->options();
}

time_point job_server::now() noexcept { return event_loop::current()->now(); }

std::shared_ptr<client> job_server::node() const noexcept {
    return only_ != nullptr ? nullptr : here();
}

std::shared_ptr<client> job_server::here() const noexcept {
    return client_in(cluster_->owner_of(slot_));
}

bool job_server::goes_on(const error& said, const call_options& options) noexcept {
    return is_worth_a_round(said, options);
}

error job_server::no_cluster(const error& said) {
    return {said.code(), said.message() +
                             "; the server is a node of a cluster: give a cluster_client, a URL "
                             "with several hosts or the option that says so"};
}

// What is left of the call's time.
task<result<replies>> job_server::search(pipeline commands, call_options options,
                                         time_point begin) const {
    const duration limit = options.timeout == call_options::as_client
                               ? cluster_->options().command_timeout
                               : options.timeout;
    if (limit != duration::zero()) {
        options = options.within(std::max(limit - (now() - begin), duration(1)));
    } else {
        options = options.within(limit);
    }
    return run_on_cluster(cluster_, std::move(commands), options, slot_);
}

// ref: as declared.
task<result<void>> job_server::execute(const resp::command_buffer& commands, replies& into,
                                       call_options options) {
    if (only_ != nullptr) [[likely]] {
        co_return co_await raw_commands(only_->core(), options, commands, into);
    }
    const time_point begin = now();
    const std::shared_ptr<client> node = here();
    if (node == nullptr) {
        co_return co_await execute_rest(commands, into, options, begin, false);
    }
    result<void> sent = co_await raw_commands(node->core(), options, commands, into);
    if (sent ? !any_is_refused(into) : !goes_on(sent.error(), options)) {
        co_return sent;
    }
    co_return co_await execute_rest(commands, into, options, begin, sent.has_value());
}

// ref: both live in the frame that awaits this.
task<result<void>> job_server::execute_rest(const resp::command_buffer& commands, replies& into,
                                            call_options options, time_point begin,
                                            bool has_answers) {
    const auto bytes = commands.bytes();
    std::string_view left(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    std::string_view one;
    std::vector<std::string_view> words;
    pipeline again;
    for (std::size_t i = 0; take_command(left, words, one); ++i) {
        if (!has_answers || is_refused(into[i])) {
            again.add_raw(std::as_bytes(std::span(one)), 1);
        }
    }
    result<replies> answers = co_await search(std::move(again), options, begin);
    if (!answers) {
        co_return std::unexpected(std::move(answers.error()));
    }
    if (!has_answers) {
        into = std::move(*answers);
        co_return result<void>();
    }
    replies all;
    std::size_t next = 0;
    for (std::size_t i = 0; i != into.size(); ++i) {
        all.add(is_refused(into[i]) ? (*answers)[next++] : into[i]);
    }
    into = std::move(all);
    co_return result<void>();
}

task<result<server_host>> job_server::owner(bool again) {
    if (again || cluster_->owner_of(slot_) == nullptr) {
        result<void> read;
        try {
            read = co_await cluster_->refresh(cluster_->version());
        } catch (const canceled&) {
            read = std::unexpected(error(std::make_error_code(std::errc::operation_canceled)));
        }
        if (!read) {
            co_return std::unexpected(std::move(read.error()));
        }
    }
    const cluster_core::node node = cluster_->owner_of(slot_);
    if (node == nullptr) {
        co_return std::unexpected(
            error(make_error_code(errc::cluster_down),
                  "CLUSTERDOWN no node has the slot " + std::to_string(slot_)));
    }
    co_return node->where;
}

task<bool> job_server::leave_silent_owner(std::shared_ptr<client> asked) {
    if (asked == nullptr) {
        co_return false;
    }
    // An error is no reason to stay: others may have read the slots since.
    static_cast<void>(co_await cluster_->refresh(cluster_->version()));
    if (asked == here()) {
        co_return false;
    }
    asked->core().disconnect(error(errc::connection_lost));
    co_return true;
}

void job_server::disconnect(const error& why) noexcept {
    if (only_ != nullptr) {
        only_->core().disconnect(why);
    } else if (const std::shared_ptr<client> node = here(); node != nullptr) {
        node->core().disconnect(why);
    }
}

task<result<std::vector<std::shared_ptr<client>>>> job_server::nodes() {
    std::vector<std::shared_ptr<client>> found;
    if (only_ != nullptr) {
        found.emplace_back(std::shared_ptr<void>(), only_);
        co_return found;
    }
    const result<void> read = co_await cluster_->refresh(cluster_->version());
    if (!read) {
        co_return std::unexpected(read.error());
    }
    for (const cluster_core::node& node : cluster_->nodes()) {
        found.push_back(client_in(node));
    }
    co_return found;
}

}  // namespace weir::redisq::detail
