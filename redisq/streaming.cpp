#include "streaming.hpp"

namespace weir::redisq {
namespace detail {

bool stream_call::advance(client_core& core, context& task, std::coroutine_handle<> resume) {
    static constexpr weir::detail::wait_kind kind{"redis reply", &client_core::cancel};
    part_.reset();
    if (!std::exchange(has_begun_, true)) {
        is_awaited_ = core.submit(*this, task, resume);
        return is_awaited_;
    }
    if (has_ended_) {
        return false;
    }
    if (task.stop_requested()) {
        failure_ = error(std::make_error_code(std::errc::operation_canceled));
        return false;
    }
    core.resume_pushes();  // may bring the next part at once
    if (part_ || has_ended_) {
        return false;
    }
    is_awaited_ = true;
    suspend(task, resume, kind);
    return true;
}

result<resp::stream_event> stream_call::take_part() {
    using kind = resp::stream_event::kind;
    if (!part_) {
        is_done_ = true;
        return std::unexpected(failure_.value_or(error(errc::closed)));
    }
    is_done_ = part_->what == kind::value || part_->what == kind::end;
    if (part_->what == kind::value && part_->view.is_error()) {
        return std::unexpected(server_reply_error(part_->view.text()));
    }
    return *part_;
}

void stream_call::take(const resp::reply_view& /*reply*/, resp::parser& /*from*/) {
    WEIR_ASSERT(false, "a stream takes its reply in parts");
}

bool stream_call::take_part(const resp::stream_event& part) {
    part_ = part;
    if (std::exchange(is_awaited_, false)) {
        wake();
    }
    return false;
}

void stream_call::on_end() noexcept {
    has_ended_ = true;
    if (std::exchange(is_awaited_, false)) {
        wake();
    }
}

}  // namespace detail

reply_stream::reply_stream(std::shared_ptr<detail::core_shelf> shelf, resp::command_buffer command)
    : shelf_(std::move(shelf)),
      call_(std::make_unique<detail::stream_call>(std::move(command))),
      core_(shelf_->take()) {}

reply_stream::~reply_stream() {
    if (core_ != nullptr && call_->is_done() && core_->is_ready()) {
        core_->resume_pushes();  // it was paused with the last part
        if (core_->is_unused()) {
            shelf_->give_back(std::move(core_));
        }
    }
}

}  // namespace weir::redisq
