#include "subscriber_core.hpp"

#include <algorithm>
#include <new>
#include <stdexcept>
#include <utility>

#include "../../runtime/with_timeout.hpp"

namespace weir::redisq::detail {
namespace {

constexpr std::size_t buffer_limit = 16'777'216;

subscriber_options sound(subscriber_options own) {
    if (own.buffer_max < 1 || own.buffer_max > buffer_limit) {
        throw std::invalid_argument("subscriber_options::buffer_max is " +
                                    std::to_string(own.buffer_max) + "; allowed: 1 to " +
                                    std::to_string(buffer_limit));
    }
    return own;
}

struct kind_words {
    const char* subscribe;
    const char* unsubscribe;
};

constexpr std::array<kind_words, 3> words_of_kinds = {
    {{"SUBSCRIBE", "UNSUBSCRIBE"}, {"PSUBSCRIBE", "PUNSUBSCRIBE"}, {"SSUBSCRIBE", "SUNSUBSCRIBE"}}};

const kind_words& words_of(name_kind kind) noexcept {
    return words_of_kinds[static_cast<std::size_t>(kind)];
}

error canceled_error() { return error(std::make_error_code(std::errc::operation_canceled)); }

}  // namespace

class [[nodiscard]] subscriber_core::list_awaiter : private weir::detail::listed_waiter {
  public:
    explicit list_awaiter(weir::detail::wait_list& list) noexcept : list_(list) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <weir::detail::weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) noexcept {
        static constexpr weir::detail::wait_kind kind{"redis message", &cancel_in_list};
        return wait_in(list_, *this, task.promise().context(), task, kind);
    }
    [[nodiscard]] bool await_resume() const noexcept { return !was_canceled; }

  private:
    weir::detail::wait_list& list_;
};

subscriber_core::subscriber_core(event_loop& loop, client_options options, subscriber_options own)
    : own_(sound(own)), core_(new client_core(loop, std::move(options))) {
    core_->take_all_as_pushes();
    core_->add_listener(*this);
}

subscriber_core::~subscriber_core() {
    WEIR_ASSERT(receivers_.empty() && subscribers_.empty(),
                "a subscriber outlives the tasks that use it");
    unlink();
}

void subscriber_core::send(const char* command, const std::vector<std::string>& words) {
    if (core_->is_ready() && !words.empty()) {
        core_->out().add(command, words);
        core_->send_soon();
    }
}

bool subscriber_core::are_confirmed(name_kind kind, const std::vector<std::string>& asked) {
    const names& known = names_of(kind);
    return std::ranges::all_of(asked, [&known](const std::string& name) {
        const auto at = known.find(name);
        // Who has unsubscribed it meanwhile has it so.
        return at == known.end() || at->second == name_state::confirmed;
    });
}

// Those that are interrupted are asked for once more: the server may have refused them, or ended
// them by itself.
void subscriber_core::ask_for(name_kind kind, const std::vector<std::string>& asked) {
    names& known = names_of(kind);
    std::vector<names::iterator> added;
    std::vector<std::string> unconfirmed;
    added.reserve(asked.size());
    try {
        for (const std::string& name : asked) {
            const auto [at, is_new] = known.try_emplace(name, name_state::asked);
            if (is_new) {
                added.push_back(at);
            }
            if (is_new || at->second == name_state::interrupted) {
                unconfirmed.push_back(name);
            }
        }
        send(words_of(kind).subscribe, unconfirmed);
    } catch (...) {
        for (const names::iterator at : added) {
            known.erase(at);
        }
        throw;
    }
}

task<result<void>> subscriber_core::subscribe(name_kind kind, std::vector<std::string> asked) {
    if (is_closed_) {
        co_return std::unexpected(error(errc::closed));
    }
    ask_for(kind, asked);
    core_->keep_connected(true);
    const std::uint64_t refusals = refusals_;
    const duration limit = core_->options().command_timeout;
    weir::detail::subtask<bool> waiting(wait_for(kind, std::move(asked), refusals));
    std::optional<weir::detail::stop_timer> timer;
    if (limit != duration::zero()) {
        timer.emplace(waiting, saturating_add(core_->loop().now(), limit));
    }
    co_await waiting;
    const bool in_time = !timer || !timer->expired();
    timer.reset();
    if (waiting.take()) {
        co_return result<void>();
    }
    if (is_closed_) {
        co_return std::unexpected(error(errc::closed));
    }
    if (refusals != refusals_) {
        co_return std::unexpected(*refusal_);
    }
    if (!in_time && !core_->is_ready() && core_->connect_error()) {
        co_return std::unexpected(
            error(make_error_code(errc::connect_failed), core_->connect_error()->message()));
    }
    co_return std::unexpected(in_time ? canceled_error() : error(errc::timed_out));
}

// Whether all of them were confirmed.
task<bool> subscriber_core::wait_for(name_kind kind, std::vector<std::string> asked,
                                     std::uint64_t refusals) {
    while (!are_confirmed(kind, asked)) {
        const bool woken = co_await list_awaiter(subscribers_);
        if (!woken || is_closed_ || refusals != refusals_) {
            co_return false;
        }
    }
    co_return true;
}

void subscriber_core::unsubscribe(name_kind kind, const std::vector<std::string>& asked) {
    std::vector<std::string> gone;
    for (const std::string& name : asked) {
        if (names_of(kind).erase(name) != 0) {
            gone.push_back(name);
        }
    }
    send(words_of(kind).unsubscribe, gone);
    if (std::ranges::all_of(names_, &names::empty)) {
        core_->keep_connected(false);
    }
    weir::detail::wake_all(subscribers_);  // who waits for such a name has no more to wait for
}

task<result<message>> subscriber_core::receive() {
    while (buffer_.empty()) {
        if (is_closed_) {
            co_return std::unexpected(error(errc::closed));
        }
        const bool woken = co_await list_awaiter(receivers_);
        if (!woken) {
            co_return std::unexpected(canceled_error());
        }
    }
    message next = std::move(buffer_.front());
    buffer_.pop_front();
    // Half of the buffer at a time, so that reading does not stop and go with each message.
    if (is_paused_ && buffer_.size() <= own_.buffer_max / 2) {
        is_paused_ = false;
        core_->resume_pushes();
    }
    co_return next;
}

void subscriber_core::close() noexcept {
    if (std::exchange(is_closed_, true)) {
        return;
    }
    core_->begin_close();
    core_->disconnect(error(errc::closed));
    weir::detail::wake_all(receivers_);
    weir::detail::wake_all(subscribers_);
}

// All that is wanted is asked for again.
void subscriber_core::on_ready() noexcept {
    try {
        subscribe_all();
    } catch (const std::bad_alloc&) {
        core_->disconnect(error(std::make_error_code(std::errc::not_enough_memory)));
    }
}

void subscriber_core::subscribe_all() {
    for (const name_kind kind : {name_kind::channel, name_kind::pattern, name_kind::sharded}) {
        std::vector<std::string> wanted;
        for (auto& [name, state] : names_of(kind)) {
            state = state == name_state::asked ? state : name_state::interrupted;
            wanted.push_back(name);
        }
        send(words_of(kind).subscribe, wanted);
    }
}

void subscriber_core::on_lost(const error& why) noexcept {
    static_cast<void>(why);
    ++losses_;
    is_paused_ = false;
}

void subscriber_core::on_failed(const error& why) noexcept { refuse(why); }

void subscriber_core::refuse(const error& why) noexcept {
    // What was never confirmed is not wanted any more: its caller knows.
    for (names& known : names_) {
        std::erase_if(known, [](const auto& entry) { return entry.second == name_state::asked; });
    }
    refusal_ = why;
    ++refusals_;
    weir::detail::wake_all(subscribers_);
}

void subscriber_core::confirmed(name_kind kind, std::string_view name, bool subscribed) {
    names& known = names_of(kind);
    const auto at = known.find(std::string(name));
    if (at == known.end()) {
        return;
    }
    if (subscribed) {
        at->second = name_state::confirmed;
        weir::detail::wake_all(subscribers_);
    } else if (at->second == name_state::confirmed) {
        at->second = name_state::interrupted;  // by the server: a sharded channel's slot has moved
    }
}

// Messages and confirmations, as pushes or, in RESP2, as arrays.
bool subscriber_core::on_push(const resp::reply_view& pushed) {
    if (pushed.is_error()) {
        refuse(server_reply_error(pushed.text()));
        return true;
    }
    if (pushed.size() < 3) {
        return true;  // not of this kind
    }
    auto at = pushed.begin();
    const std::string_view what = (*at).text();
    const std::string_view first = (*++at).text();
    const std::string_view second = (*++at).text();
    if (what == "message" || what == "smessage") {
        return keep(message(std::string(first), {}, std::string(second), what == "smessage"));
    }
    if (what == "pmessage" && pushed.size() == 4) {
        return keep(
            message(std::string(second), std::string(first), std::string((*++at).text()), false));
    }
    const bool unsubscribes = what.find("unsubscribe") != std::string_view::npos;
    if (what == "subscribe" || what == "unsubscribe") {
        confirmed(name_kind::channel, first, !unsubscribes);
    } else if (what == "psubscribe" || what == "punsubscribe") {
        confirmed(name_kind::pattern, first, !unsubscribes);
    } else if (what == "ssubscribe" || what == "sunsubscribe") {
        confirmed(name_kind::sharded, first, !unsubscribes);
    }
    return true;
}

// False: nothing more is to be read for now.
bool subscriber_core::keep(message fresh) {
    if (buffer_.size() >= own_.buffer_max) {
        switch (own_.when_full) {
            case overflow::wait:
                break;  // the last one before the pause
            case overflow::drop_oldest:
                buffer_.pop_front();
                ++dropped_;
                break;
            case overflow::drop_newest:
                ++dropped_;
                return true;
            case overflow::disconnect:
                ++dropped_;
                core_->disconnect(error(make_error_code(errc::connection_lost),
                                        "connection ended: the consumer of messages is too slow"));
                return true;
        }
    }
    buffer_.push_back(std::move(fresh));
    if (!receivers_.empty()) {
        weir::detail::wake_first(receivers_);
    }
    is_paused_ = own_.when_full == overflow::wait && buffer_.size() >= own_.buffer_max;
    return !is_paused_;
}

}  // namespace weir::redisq::detail
