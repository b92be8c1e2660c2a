#include "client_core.hpp"

#include <unistd.h>

#include <algorithm>
#include <new>
#include <string_view>
#include <utility>

#include "../../runtime/result.hpp"
#include "../../runtime/sleep.hpp"

namespace weir::redisq::detail {
namespace {

constexpr std::string_view tls_category_name = "weir.tls";

error closed_error() { return error(errc::closed); }
error canceled_error() { return error(std::make_error_code(std::errc::operation_canceled)); }

// What another attempt would not mend, so it is told at once.
bool is_lasting(const error& why) noexcept {
    return why == errc::no_auth || why == errc::wrong_password || why == errc::no_permission ||
           why == errc::server_error || why == errc::unsupported || why == errc::bad_option ||
           std::string_view(why.code().category().name()) == tls_category_name;
}

client_options sound(client_options options) {
    options.require_sound();
    return options;
}

}  // namespace

client_core::client_core(event_loop& loop, client_options options)
    : background(loop, "redis client"),
      options_(sound(std::move(options))),
      sweep_timer_([](weir::detail::timer_node& timer) noexcept {
          static_cast<core_timer&>(timer).core->sweep_timer_fired();
      }),
      idle_timer_([](weir::detail::timer_node& timer) noexcept {
          static_cast<core_timer&>(timer).core->idle_timer_fired();
      }),
      random_state_(reinterpret_cast<std::uintptr_t>(this) ^
                    static_cast<std::uint64_t>(loop.now().time_since_epoch().count()) ^
                    static_cast<std::uint64_t>(getpid()) << 40U) {
    sweep_timer_.core = this;
    idle_timer_.core = this;
}

bool client_core::submit(call& who, context& task, std::coroutine_handle<> resume) {
    static constexpr weir::detail::wait_kind kind{"redis reply", &cancel};
    if (task.stop_requested() || is_closed_ || (is_pinned_ && !is_ready_)) [[unlikely]] {
        who.fail(task.stop_requested() ? canceled_error()
                 : is_closed_          ? closed_error()
                                       : connect_error_.value_or(error(errc::connection_lost)));
        return false;
    }
    ++counters_.calls;
    who.core_ = this;
    const bool goes_at_once = is_ready_ && waiting_.empty() && has_room();
    if (goes_at_once) [[likely]] {
        queue(who);
    } else {
        who.state_ = call_state::waiting;
        waiting_.push_back(who);
    }
    who.suspend(task, resume, kind);
    start_timers(who);
    if (!goes_at_once) {
        connect_soon();  // may wake it already, with an error
    }
    return true;
}

void client_core::queue(call& who) {
    connection_->put(who);
    who.state_ = call_state::queued;
}

void client_core::cancel(weir::detail::waiter& self) noexcept {
    call& who = static_cast<call&>(self);
    client_core& core = *who.core_;
    core.leave(who, canceled_error());
    core.check_closed();
}

// Out of the line or the queue, with an error.
void client_core::leave(call& who, error why) noexcept {
    if (who.state_ == call_state::waiting) {
        static_cast<weir::detail::listed_waiter&>(who).unlink();
    } else {
        connection_->forget(who);
    }
    who.fail(std::move(why));
    who.end();
}

void client_core::tell_lost(const error& why) noexcept {
    listeners_.for_each([&why](push_listener& listener) { listener.on_lost(why); });
}

void client_core::admit() noexcept {
    while (connection_ != nullptr && !waiting_.empty() && has_room()) {
        call& who = static_cast<call&>(waiting_.pop_front());
        try {
            queue(who);
        } catch (const std::bad_alloc&) {
            who.fail(error(std::make_error_code(std::errc::not_enough_memory)));
            who.end();
        } catch (const std::exception& thrown) {  // by an encoder
            who.fail(error(std::make_error_code(std::errc::invalid_argument), thrown.what()));
            who.end();
        }
    }
}

void client_core::fail_waiting(const error& why) noexcept {
    while (!waiting_.empty()) {
        call& who = static_cast<call&>(waiting_.pop_front());
        who.fail(why);
        who.end();
    }
}

bool client_core::on_push(connection& from, const resp::reply_view& message) {
    const bool is_push = message.kind() == resp::type::push;
    if (!is_push && !is_ready_) {
        if (handshake_) {
            greeted(message);
        }
        return true;  // what follows a greeting that has failed is passed over
    }
    if (is_push || takes_all_) {
        bool goes_on = true;
        listeners_.for_each(
            [&](push_listener& listener) { goes_on = listener.on_push(message) && goes_on; });
        return goes_on;
    }
    from.fail(error(make_error_code(errc::protocol_error),
                    "protocol error: a reply that nobody waits for"));
    return true;
}

void client_core::on_progress(connection& from) noexcept {
    static_cast<void>(from);
    if (!is_ready_) {
        return;
    }
    attempts_ = 0;
    if (!waiting_.empty()) [[unlikely]] {
        admit();
    }
    if (is_closed_) [[unlikely]] {
        check_closed();
    }
}

// Goes out with on_progress(), which follows.
void client_core::on_again(call& who) noexcept {
    if (is_closed_) {
        who.fail(closed_error());
        who.end();
        return;
    }
    who.state_ = call_state::waiting;
    waiting_.push_front(who);
}

void client_core::on_lost(connection& from, error why) noexcept {
    const bool was_ready = std::exchange(is_ready_, false);
    take_back(from, why);
    connection_.reset();
    connect_error_ = why;
    if (!was_ready) {
        if (handshake_) {
            end_greeting(std::move(why));
        }
        return;  // the task that connects goes on with it
    }
    not_before_ =
        saturating_add(loop().tick_time(), options_.reconnect.delay(attempts_++, chance()));
    tell_lost(why);
    if (!waiting_.empty() || is_wanted_) {
        connect_soon();
    }
    check_closed();
}

// What may run once more goes back to the head of the line; the rest fails.
void client_core::take_back(connection& from, const error& why) noexcept {
    call_list again;
    reply_queue& calls = from.calls();
    while (!calls.empty()) {
        const bool sent = calls.begin_ticket() < from.sent();
        call* const who = calls.drop_front().who;
        if (who == nullptr) {
            continue;
        }
        if ((!sent || who->is_idempotent()) && !is_closed_ && !is_pinned_) {
            counters_.repeated += sent ? 1 : 0;
            who->state_ = call_state::waiting;
            again.push_back(*who);
        } else {
            who->fail(why);
            who->end();
        }
    }
    again.splice_back(waiting_);
    waiting_.splice_back(again);
    if (is_pinned_) {
        fail_waiting(why);
    }
}

void client_core::keep_connected(bool on) noexcept {
    is_wanted_ = on;
    if (on) {
        connect_soon();
    }
}

void client_core::connect_soon() noexcept {
    if (is_ready_ || is_running() || is_closed_) {
        return;
    }
    try {
        run(connect_while_needed());
    } catch (const std::bad_alloc&) {
        connect_error_ = error(std::make_error_code(std::errc::not_enough_memory));
        fail_waiting(*connect_error_);
        if (is_wanted_) {
            const duration pause = options_.reconnect.delay(attempts_++, chance());
            loop().disarm(idle_timer_);
            loop().arm(idle_timer_, saturating_add(loop().tick_time(), pause));
        }
    }
}

void client_core::disconnect(error why) noexcept {
    if (connection_ != nullptr) {
        connection_->fail(std::move(why));
    }
}

void client_core::resume_pushes() noexcept {
    if (connection_ != nullptr) {
        connection_->resume();
    }
}

task<> client_core::connect_while_needed() {
    while (!is_ready_ && !is_closed_ && (!waiting_.empty() || is_wanted_)) {
        co_await sleep_until(not_before_);
        ++counters_.attempts;
        result<void> opened = co_await open();
        if (opened && connection_ == nullptr) {
            // Lost, or abandoned, between the end of the greeting and here.
            opened = std::unexpected(connect_error_.value_or(error(errc::connection_lost)));
        }
        if (!opened) {
            connection_.reset();
            attempt_failed(std::move(opened.error()));
        } else {
            became_ready();
        }
    }
}

void client_core::attempt_failed(error why) noexcept {
    not_before_ = saturating_add(loop().now(), options_.reconnect.delay(attempts_++, chance()));
    connect_error_ = std::move(why);
    if (is_lasting(*connect_error_)) {
        fail_waiting(*connect_error_);
        listeners_.for_each(
            [this](push_listener& listener) { listener.on_failed(*connect_error_); });
    } else if (options_.connect_attempts != 0 && attempts_ >= options_.connect_attempts) {
        const bool is_telling =
            *connect_error_ == errc::wrong_role || *connect_error_ == errc::protocol_error;
        fail_waiting(is_telling
                         ? *connect_error_
                         : error(make_error_code(errc::connect_failed), connect_error_->message()));
    }
}

void client_core::became_ready() noexcept {
    ++counters_.connections;
    is_ready_ = true;
    connect_error_.reset();
    if (options_.idle_timeout != duration::zero() && !idle_timer_.is_linked()) {
        last_used_ = loop().tick_time();
        loop().arm(idle_timer_, saturating_add(last_used_, options_.idle_timeout));
    }
    listeners_.for_each([](push_listener& listener) { listener.on_ready(); });
    admit();
}

std::uint64_t client_core::chance() noexcept {
    // splitmix64: nobody has to guess these delays, they have to differ between clients.
    random_state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t mixed = random_state_;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31U);
}

void client_core::begin_close() noexcept {
    if (std::exchange(is_closed_, true)) {
        return;
    }
    is_wanted_ = false;
    fail_waiting(closed_error());
    if (is_running()) {
        request_stop();
    }
    check_closed();
}

task<> client_core::close() {
    begin_close();
    co_await closed_event_.wait();
}

// A close is complete when nobody waits for a reply and nothing runs.
void client_core::check_closed() noexcept {
    if (!is_closed_ || is_running() || is_abandoned_ ||
        (connection_ != nullptr && connection_->calls().callers() != 0)) {
        return;
    }
    if (std::exchange(is_ready_, false)) {
        tell_lost(closed_error());
    }
    connection_.reset();
    loop().disarm(sweep_timer_);
    loop().disarm(idle_timer_);
    closed_event_.set();
}

void client_core::abandon() noexcept {
    begin_close();
    is_abandoned_ = true;
    is_ready_ = false;
    if (connection_ != nullptr) {
        take_back(*connection_, closed_error());
        connection_.reset();
    }
    loop().disarm(sweep_timer_);
    loop().disarm(idle_timer_);
    if (is_running()) {
        loop().add_orphan(*this);
    } else {
        delete this;
    }
}

void client_core::on_ended(std::exception_ptr thrown) noexcept {
    // Where it has thrown, it was stopped, or there was no memory for an attempt.
    if (is_abandoned_) {
        orphan::unlink();
        delete this;
        return;
    }
    if (!is_ready_ && !is_closed_ && (!waiting_.empty() || is_wanted_)) {
        connection_.reset();
        handshake_.reset();
        if (thrown != nullptr) {
            attempt_failed(error(std::make_error_code(std::errc::not_enough_memory)));
        }
        connect_soon();
    }
    check_closed();
}

}  // namespace weir::redisq::detail
