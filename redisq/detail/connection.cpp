#include "connection.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

#include "../../runtime/driver.hpp"
#include "../../runtime/net/errors.hpp"

namespace weir::redisq::detail {
namespace {

constexpr std::size_t receive_min = std::size_t{16} << 10;
constexpr std::size_t receive_max = std::size_t{256} << 10;
constexpr std::size_t transfer_max = std::size_t{1} << 30;

error lost_by(std::error_code cause) {
    return {make_error_code(errc::connection_lost), "connection lost: " + cause.message()};
}

}  // namespace

connection::connection(event_loop& loop, file_descriptor socket,
                       std::unique_ptr<wire_filter> filter, const resp::limits& limits,
                       connection_owner& owner)
    : tick_end_node([](tick_end_node& node) noexcept { static_cast<connection&>(node).send(); }),
      loop_(loop),
      socket_(std::move(socket)),
      filter_(std::move(filter)),
      owner_(&owner),
      parser_(limits),
      room_wanted_(receive_min),
      last_receive_(loop.tick_time()) {
    receiving_.self = this;
    receiving_.completed = &on_received;
    receiving_.request.opcode = io_opcode::receive;
    receiving_.request.fd = socket_.get();
    sending_.self = this;
    sending_.completed = &on_sent;
    sending_.request.opcode = io_opcode::send;
    sending_.request.fd = socket_.get();
    // MSG_WAITALL: the kernel itself goes on after a short send.
    sending_.request.operation_flags = MSG_NOSIGNAL | MSG_WAITALL;
}

void connection::put(call& who) {
    calls_.reserve_one();
    const std::size_t size = out_.size();
    const std::size_t others = out_.commands();
    try {
        who.encode(out_);
    } catch (...) {
        out_.take_back(size, others);  // half a call's commands would shift the others' replies
        throw;
    }
    who.ticket_ = calls_.push(who, static_cast<std::uint32_t>(out_.commands() - others));
    loop_.at_tick_end(*this);
}

void connection::put_for_nobody(const resp::command_buffer& commands) {
    calls_.reserve_one();
    out_.append(commands);
    calls_.push_nobody(static_cast<std::uint32_t>(commands.commands()));
    loop_.at_tick_end(*this);
}

void connection::send_secret(std::span<const std::byte> encoded) {
    if (write_error_) {
        return;  // nothing leaves any more
    }
    WEIR_ASSERT(out_.empty(), "a secret shares its buffer with nothing, which could make it grow");
    has_secret_ = true;
    out_.add_raw(encoded, 1);
    loop_.at_tick_end(*this);
}

void connection::clear_sent(resp::command_buffer& left) noexcept {
    if (has_secret_) [[unlikely]] {
        left.wipe();
        has_secret_ = !out_.empty();
    } else {
        left.clear();
    }
}

void connection::forget(call& who) noexcept { calls_.abandon(who.ticket_); }

void connection::begin(transfer& what) noexcept {
    what.in_flight = true;
    what.state = weir::detail::operation_state::idle;
    what.cancel_asked = false;
    loop_.io().start(what);
}

void connection::receive() noexcept {
    std::span<std::byte> room;
    try {
        room = filter_ ? filter_->input_space() : parser_.prepare(room_wanted_);
    } catch (const std::bad_alloc&) {
        fail(error(std::make_error_code(std::errc::not_enough_memory)));
        return;
    }
    receiving_.request.address = room.data();
    receiving_.request.length = static_cast<std::uint32_t>(std::min(room.size(), transfer_max));
    receiving_.request.options = seen_empty_ ? io_poll_first : std::uint8_t{0};
    begin(receiving_);
}

void connection::on_received(weir::detail::operation& op) noexcept {
    auto& what = static_cast<transfer&>(op);
    connection& self = *what.self;
    what.in_flight = false;
    self.is_busy_ = true;
    if (!self.is_lost_) {
        try {
            self.received(what.outcome);
        } catch (const std::bad_alloc&) {
            self.fail(error(std::make_error_code(std::errc::not_enough_memory)));
        }
    }
    self.is_busy_ = false;
    self.end_if_abandoned();
}

void connection::received(std::int32_t count) {
    if (count == -EINTR || count == -EAGAIN) {
        receive();
        return;
    }
    if (count < 0 || (count == 0 && !filter_)) {
        if (count == 0 && !write_error_) {
            fail(error(make_error_code(errc::connection_lost),
                       "connection lost: closed by the server"));
        } else {
            fail(lost_by(write_error_ ? write_error_
                                      : std::error_code(-count, std::system_category())));
        }
        return;
    }
    last_receive_ = loop_.tick_time();
    seen_empty_ = (receiving_.completion_flags & weir::detail::completion_nonempty) == 0;
    if (filter_) {
        filter_->add_input(static_cast<std::size_t>(count));
        unwrap();
    } else {
        if (static_cast<std::uint32_t>(count) == receiving_.request.length) {
            room_wanted_ = std::min(2 * room_wanted_, receive_max);
        }
        parser_.commit(static_cast<std::size_t>(count));
        deliver();
    }
    if (is_lost_ || is_paused_) {
        return;
    }
    owner_->on_progress(*this);
    if (!is_lost_ && !receiving_.in_flight) {
        receive();
    }
}

// Takes what the filter makes of the bytes, as far as nothing is paused.
void connection::unwrap() {
    while (!is_lost_ && !is_paused_) {
        const std::span<std::byte> room = parser_.prepare(room_wanted_);
        const weir::result<std::size_t> count = filter_->read(room);
        if (!count) {
            fail(count.error() == net_errc::end_of_stream
                     ? error(make_error_code(errc::connection_lost),
                             "connection lost: closed by the server")
                     : lost_by(count.error()));
            return;
        }
        if (*count == 0) {
            return;
        }
        parser_.commit(*count);
        deliver();
    }
}

void connection::deliver() {
    while (!is_lost_ && !is_paused_) {
        if (in_stream_ || calls_.front_is_stream()) [[unlikely]] {
            if (!deliver_part()) {
                return;
            }
            continue;
        }
        const auto next = parser_.next();
        if (!next) [[unlikely]] {
            fail(error(make_error_code(errc::protocol_error), next.error().message()));
            return;
        }
        if (!*next) {
            return;
        }
        dispatch(**next);
    }
}

// Of a reply that is handed out while it arrives. False: more has to come first.
bool connection::deliver_part() {
    using kind = resp::stream_event::kind;
    const auto next = parser_.next_event();
    if (!next) [[unlikely]] {
        fail(error(make_error_code(errc::protocol_error), next.error().message()));
        return false;
    }
    if (!*next) {
        return false;
    }
    const resp::stream_event& part = **next;
    if (part.what == kind::value && part.view.kind() == resp::type::push) {
        is_paused_ = !owner_->on_push(*this, part.view);
        return true;
    }
    const bool ends = part.what == kind::value || part.what == kind::end;
    in_stream_ = !ends;
    call* const who = calls_.front().who;  // null where it went meanwhile: the rest is dropped
    if (ends) {
        calls_.took_reply();
    }
    if (who != nullptr) {
        is_paused_ = !who->take_part(part);
        if (ends) {
            who->end();
        }
    }
    return true;
}

void connection::dispatch(const resp::reply_view& reply) {
    if (reply.kind() == resp::type::push || calls_.empty()) [[unlikely]] {
        is_paused_ = !owner_->on_push(*this, reply);
        return;
    }
    call* const who = calls_.front().who;
    const bool last = calls_.took_reply();
    if (who == nullptr) [[unlikely]] {
        return;
    }
    bool failed = false;
    try {
        who->take(reply, parser_);
    } catch (const std::bad_alloc&) {
        failed = true;
    }
    if (failed) [[unlikely]] {
        who->fail(error(std::make_error_code(std::errc::not_enough_memory)));
        who->again_ = false;
        if (!last) {
            calls_.abandon(calls_.begin_ticket());
        }
    }
    if (last && who->again_) [[unlikely]] {
        who->again_ = false;
        owner_->on_again(*who);
    } else if (last || failed) {
        who->end();
    }
}

void connection::resume() noexcept {
    if (!is_paused_ || is_lost_) {
        return;
    }
    is_paused_ = false;
    is_busy_ = true;
    try {
        deliver();
        if (filter_) {
            unwrap();
        }
    } catch (const std::bad_alloc&) {
        fail(error(std::make_error_code(std::errc::not_enough_memory)));
    }
    if (!is_lost_ && !is_paused_) {
        owner_->on_progress(*this);
        if (!is_lost_ && !receiving_.in_flight) {
            receive();
        }
    }
    is_busy_ = false;
    end_if_abandoned();
}

void connection::prepare_flight() {
    sent_ = calls_.end_ticket();
    if (!filter_) {
        std::swap(out_, flying_);
        rest_ = flying_.bytes();
        return;
    }
    const weir::result<void> wrapped = filter_->write(out_.bytes());
    clear_sent(out_);
    wire_.clear();
    filter_->take_output(wire_);
    rest_ = wire_;
    if (!wrapped) {
        rest_ = {};
        write_failed(wrapped.error().value());
    }
}

void connection::send() noexcept {
    if (is_lost_ || sending_.in_flight || write_error_ || out_.empty()) {
        return;
    }
    try {
        prepare_flight();
    } catch (const std::bad_alloc&) {
        write_failed(ENOMEM);
        return;
    }
    if (rest_.empty()) {
        return;
    }
    const ssize_t count = ::send(socket_.get(), rest_.data(), std::min(rest_.size(), transfer_max),
                                 MSG_NOSIGNAL | MSG_DONTWAIT);
    sent(count < 0 ? -errno : static_cast<std::int32_t>(count));
}

void connection::on_sent(weir::detail::operation& op) noexcept {
    auto& what = static_cast<transfer&>(op);
    connection& self = *what.self;
    what.in_flight = false;
    self.is_busy_ = true;
    if (!self.is_lost_) {
        self.sent(what.outcome);
        self.send();
        self.owner_->on_progress(self);
    }
    self.is_busy_ = false;
    self.end_if_abandoned();
}

void connection::sent(std::int32_t count) noexcept {
    if (count < 0 && count != -EAGAIN && count != -EINTR) {
        write_failed(-count);
        return;
    }
    rest_ = rest_.subspan(static_cast<std::size_t>(std::max(count, 0)));
    if (!rest_.empty()) {
        sending_.request.address = const_cast<std::byte*>(rest_.data());  // the kernel only reads
        sending_.request.length = static_cast<std::uint32_t>(std::min(rest_.size(), transfer_max));
        begin(sending_);
        return;
    }
    clear_sent(flying_);
}

// What the server said before it went is still received; the end of that is the connection's.
void connection::write_failed(int why) noexcept {
    write_error_ = std::error_code(why, std::system_category());
    rest_ = {};
    static_cast<void>(::shutdown(socket_.get(), SHUT_RDWR));
}

void connection::fail(error why) noexcept {
    if (is_lost_) {
        return;
    }
    is_lost_ = true;
    stop_transfers();
    owner_->on_lost(*this, std::move(why));
}

void connection::stop_transfers() noexcept {
    loop_.cancel_tick_end(*this);
    static_cast<void>(::shutdown(socket_.get(), SHUT_RDWR));
    for (transfer* const what : {&receiving_, &sending_}) {
        if (what->in_flight) {
            loop_.io().cancel(*what);
        }
    }
}

void connection::abandon() noexcept {
    if (!std::exchange(is_lost_, true)) {
        stop_transfers();
    }
    owner_ = nullptr;
    loop_.add_orphan(*this);
    if (!is_busy_) {
        end_if_abandoned();
    }
}

void connection::end_if_abandoned() noexcept {
    if (owner_ == nullptr && is_idle()) {
        orphan::unlink();
        delete this;
    }
}

}  // namespace weir::redisq::detail
