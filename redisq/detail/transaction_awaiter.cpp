#include "transaction_awaiter.hpp"

#include <utility>

namespace weir::redisq::detail {

void transaction_awaiter::encode(resp::command_buffer& out) {
    out.append(commands_.commands());
    out.add(transaction::end);
    left_ = commands_.size() + 2;
    answers_.clear();
    refused_.reset();
}

void transaction_awaiter::take(const resp::reply_view& reply, resp::parser& /*from*/) {
    if (--left_ != 0) {
        if (reply.is_error() && !refused_) {
            refused_ = server_reply_error(reply.text());
        }
        return;
    }
    if (reply.is_error()) {
        failure_ = server_reply_error(reply.text());
        if (*failure_ == errc::exec_aborted && refused_) {
            // EXEC's own text says only that there was an error before.
            failure_ =
                error(make_error_code(errc::exec_aborted), "EXECABORT: " + refused_->message());
        } else if (refused_) {
            failure_ = std::move(refused_);  // MULTI was refused, by a replica for instance
        }
        return;
    }
    if (reply.is_null()) {
        failure_ = error(errc::watch_failed);
        return;
    }
    if (reply.size() != commands_.size()) {
        failure_ = error(make_error_code(errc::wrong_reply_type),
                         "EXEC answered " + std::to_string(reply.size()) + " replies to " +
                             std::to_string(commands_.size()) + " commands");
        return;
    }
    for (const resp::reply_view one : reply) {
        answers_.add(one);
    }
}

result<replies> transaction_awaiter::await_resume() {
    if (failure_) {
        return std::unexpected(std::move(*failure_));
    }
    return std::move(answers_);
}

}  // namespace weir::redisq::detail
