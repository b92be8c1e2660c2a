#include "detail/result_board.hpp"

#include <new>
#include <utility>

#include "../../runtime/with_timeout.hpp"

namespace weir::redisq::detail {
namespace {

constexpr duration unused_max = std::chrono::seconds(5);

client_options for_messages(client_options options) {
    options.idle_timeout = duration::zero();  // silence is what it is there for
    return options;
}

task<> until_set(event* flag) { co_await flag->wait(); }

}  // namespace

result_board::waiter::waiter(result_board& board, std::string id)
    : board_(board), id_(std::move(id)) {
    board_.add(*this);
}

result_board::waiter::~waiter() { board_.remove(*this); }

task<bool> result_board::waiter::wait_until(time_point deadline) {
    bool in_time = true;
    try {
        co_await with_deadline(deadline, until_set(&news_));
    } catch (const timed_out&) {
        in_time = false;
    }
    news_.reset();
    co_return in_time;
}

result_board::result_board(event_loop& loop, client_options options, std::string channel)
    : loop_(loop),
      options_(for_messages(std::move(options))),
      channel_(std::move(channel)),
      timer_([](weir::detail::timer_node& timer) noexcept {
          static_cast<close_timer&>(timer).board->close();
      }) {
    timer_.board = this;
}

result_board::~result_board() {
    WEIR_ASSERT(waiting_ == 0, "a queue outlives those who wait for its jobs' results");
    close();
}

void result_board::add(waiter& who) {
    const auto [at, is_first] = by_id_.try_emplace(who.id_, &who);
    if (!is_first) {
        who.next_ = std::exchange(at->second->next_, &who);
    }
    ++waiting_;
    loop_.disarm(timer_);
}

void result_board::remove(waiter& who) noexcept {
    const auto at = by_id_.find(who.id_);
    waiter** link = &at->second;
    while (*link != &who) {
        link = &(*link)->next_;
    }
    *link = who.next_;
    if (at->second == nullptr) {
        by_id_.erase(at);
    } else if (at->first.data() == who.id_.data()) {
        // The key is a view of the one that goes.
        auto node = by_id_.extract(at);
        node.key() = node.mapped()->id_;
        by_id_.insert(std::move(node));
    }
    if (--waiting_ == 0 && core_ != nullptr) {
        loop_.arm(timer_, saturating_add(loop_.now(), unused_max));
    }
}

void result_board::open() {
    if (core_ != nullptr) {
        return;
    }
    core_.reset(new client_core(loop_, options_));
    core_->take_all_as_pushes();
    core_->add_listener(*this);
    core_->keep_connected(true);
}

void result_board::close() noexcept {
    loop_.disarm(timer_);
    if (core_ != nullptr) {
        unlink();
        core_.reset();
    }
    is_live_ = has_missed_ = false;
}

void result_board::missed() noexcept {
    if (is_reliable()) {
        has_missed_ = true;
        core_->disconnect(error(make_error_code(errc::connection_lost),
                                "connection ended: a message has not come"));
    }
}

void result_board::wake_all() noexcept {
    for (const auto& [id, first] : by_id_) {
        for (waiter* each = first; each != nullptr; each = each->next_) {
            each->news_.set();
        }
    }
}

void result_board::on_ready() noexcept {
    try {
        core_->out().add("SUBSCRIBE", channel_);
        core_->send_soon();
    } catch (const std::bad_alloc&) {
        core_->disconnect(error(std::make_error_code(std::errc::not_enough_memory)));
    }
}

void result_board::on_lost(const error& why) noexcept {
    static_cast<void>(why);
    is_live_ = false;
    wake_all();
}

// A message, a confirmation, or a refusal, as pushes or, in RESP2, as arrays.
bool result_board::on_push(const resp::reply_view& pushed) {
    if (pushed.is_error()) {
        // Not allowed, say: nothing is to be had here, and who waits looks for itself.
        core_->keep_connected(false);
        core_->disconnect(server_reply_error(pushed.text()));
        return true;
    }
    if (pushed.size() != 3) {
        return true;
    }
    const std::string_view what = pushed[0].text();
    const resp::reply_view said = pushed[2];
    if (what == "subscribe") {
        is_live_ = true;
        wake_all();
    } else if (what == "message") {
        has_missed_ = false;
        const auto found = by_id_.find(said.text());
        for (waiter* each = found == by_id_.end() ? nullptr : found->second; each != nullptr;
             each = each->next_) {
            each->news_.set();
        }
    }
    return true;
}

}  // namespace weir::redisq::detail
