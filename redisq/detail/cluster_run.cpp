#include "cluster_run.hpp"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../../runtime/event_loop.hpp"
#include "../../runtime/scope.hpp"
#include "../../runtime/sleep.hpp"
#include "command_keys.hpp"

namespace weir::redisq::detail {
namespace {

// One command.
struct part {
    std::string_view bytes;
    std::optional<std::uint16_t> slot;
    std::optional<server_host> asked;  // ASK: for the next round
    unsigned redirects = 0;
    bool is_done = false;
    const replies* answers = nullptr;  // the last that it got, where it stands at `index`
    std::size_t index = 0;
};

// What goes to one node in one round.
struct parcel {
    cluster_core::node to;
    pipeline commands;
    std::vector<std::size_t> parts;
    std::vector<std::size_t> places;  // of their replies, behind those of ASKING
    replies answers;
    std::optional<error> failure;
};

// Replies that say that the command was not run, and may be in a moment.
bool is_passing(const error& said) noexcept {
    return said == errc::try_again || said == errc::cluster_down || said == errc::loading ||
           said == errc::master_down || said == errc::read_only;
}

// Never sent, or sent and harmless to repeat.
bool may_be_repeated(const error& failure, const call_options& options) noexcept {
    return failure == errc::connect_failed ||
           (failure == errc::connection_lost && options.idempotent);
}

// ref: the parcel lives in the frame that waits for this.
task<> deliver(parcel& one, call_options options) {
    result<void> sent = co_await one.to->connection.execute(one.commands, one.answers, options);
    if (!sent) {
        one.failure = std::move(sent.error());
    }
}

class cluster_run {
  public:
    cluster_run(cluster_core& core, const pipeline& commands, const call_options& options,
                std::optional<std::uint16_t> slot)
        : core_(core), commands_(commands), options_(options), slot_(slot) {
        const duration limit = options.timeout == call_options::as_client
                                   ? core.options().command_timeout
                                   : options.timeout;
        if (limit != duration::zero()) {
            deadline_ = saturating_add(event_loop::current()->now(), limit);
        }
    }

    [[nodiscard]] task<result<replies>> run() {
        const result<void> cut = cut_commands();
        if (!cut) {
            co_return std::unexpected(cut.error());
        }
        while (true) {
            const result<void> ended = co_await run_round();
            if (!ended) {
                co_return std::unexpected(ended.error());
            }
            if (std::ranges::all_of(parts_, &part::is_done)) {
                co_return take_replies();
            }
            if (waits_) {
                const time_point next = next_attempt();
                if (next >= deadline_) {
                    co_return give_up();
                }
                ++core_.counters().repeated;
                drop_old_parcels();
                co_await sleep_until(next);
            }
            if (is_stale_) {
                // An error is no reason to end: the nodes may be between two masters.
                static_cast<void>(co_await core_.refresh(seen_));
            }
        }
    }

  private:
    [[nodiscard]] result<void> cut_commands();
    [[nodiscard]] task<result<void>> run_round();
    [[nodiscard]] bool add_to_parcel(std::size_t index);
    [[nodiscard]] result<void> look_at(parcel& one);
    [[nodiscard]] result<void> follow(part& one, const error& said, const server_host& teller);
    [[nodiscard]] time_point next_attempt();
    void drop_old_parcels() noexcept;
    [[nodiscard]] result<replies> take_replies();
    [[nodiscard]] result<replies> give_up();
    [[nodiscard]] call_options options_for_round() const;

    cluster_core& core_;
    const pipeline& commands_;
    call_options options_;
    std::optional<std::uint16_t> slot_;  // of all of them; else each has its own
    time_point deadline_ = time_point::max();
    std::vector<part> parts_;
    std::vector<std::unique_ptr<parcel>> parcels_;  // of all rounds whose replies are needed
    std::size_t round_begin_ = 0;                   // the parcels of this round
    std::optional<error> last_failure_;             // of a node that could not be reached
    std::uint64_t seen_ = 0;
    unsigned attempts_ = 0;
    bool waits_ = false;     // before the next round
    bool is_stale_ = false;  // the slots have to be read again
};

result<void> cluster_run::cut_commands() {
    const auto bytes = commands_.commands().bytes();
    std::string_view rest(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    std::vector<std::string_view> words;
    part one;
    while (take_command(rest, words, one.bytes)) {
        one.slot = slot_;
        if (!slot_) {
            const result<std::optional<std::uint16_t>> slot = slot_of_command(words);
            if (!slot) {
                return std::unexpected(slot.error());
            }
            one.slot = *slot;
        }
        parts_.push_back(one);
    }
    return {};
}

call_options cluster_run::options_for_round() const {
    call_options limited = options_;
    limited.timeout = duration::zero();
    if (deadline_ != time_point::max()) {
        limited.timeout = std::max(deadline_ - event_loop::current()->now(), duration(1));
    }
    return limited;
}

task<result<void>> cluster_run::run_round() {
    waits_ = false;
    is_stale_ = false;
    if (core_.is_closed()) {
        co_return std::unexpected(error(errc::closed));
    }
    if (core_.version() == 0) {
        result<void> read = co_await core_.refresh(0);
        if (!read) {
            co_return read;
        }
    }
    seen_ = core_.version();
    round_begin_ = parcels_.size();
    for (std::size_t index = 0; index != parts_.size(); ++index) {
        if (!parts_[index].is_done && !add_to_parcel(index)) {
            last_failure_ = error(make_error_code(errc::cluster_down),
                                  "CLUSTERDOWN no node has the slot " +
                                      std::to_string(parts_[index].slot.value_or(0)));
            waits_ = true;
            is_stale_ = true;
        }
    }
    const call_options limited = options_for_round();
    if (parcels_.size() - round_begin_ == 1) {
        co_await deliver(*parcels_.back(), limited);
    } else {
        scope all;
        std::exception_ptr failure;
        try {
            for (std::size_t at = round_begin_; at != parcels_.size(); ++at) {
                all.spawn(deliver(*parcels_[at], limited));
            }
        } catch (...) {
            failure = std::current_exception();
            all.request_stop();
        }
        co_await all.join();
        if (failure) {
            std::rethrow_exception(failure);
        }
    }
    for (std::size_t at = round_begin_; at != parcels_.size(); ++at) {
        result<void> looked = look_at(*parcels_[at]);
        if (!looked) {
            co_return looked;
        }
    }
    co_return result<void>();
}

// False where nobody is known to have its slot.
bool cluster_run::add_to_parcel(std::size_t index) {
    part& one = parts_[index];
    const cluster_core::node to = one.asked  ? core_.at(*one.asked)
                                  : one.slot ? core_.owner_of(*one.slot)
                                             : core_.any();
    if (to == nullptr) {
        return false;
    }
    auto found = std::find_if(parcels_.begin() + static_cast<std::ptrdiff_t>(round_begin_),
                              parcels_.end(), [&to](const auto& each) { return each->to == to; });
    if (found == parcels_.end()) {
        parcels_.push_back(std::make_unique<parcel>());
        found = parcels_.end() - 1;
        (*found)->to = to;
    }
    parcel& into = **found;
    if (one.asked) {
        into.commands.add("ASKING");
        one.asked.reset();
    }
    into.parts.push_back(index);
    into.places.push_back(into.commands.size());
    into.commands.add_raw(std::as_bytes(std::span(one.bytes)), 1);
    return true;
}

result<void> cluster_run::look_at(parcel& one) {
    if (one.failure) {
        if (!may_be_repeated(*one.failure, options_) || core_.is_closed()) {
            return std::unexpected(*one.failure);
        }
        last_failure_ = *one.failure;
        waits_ = true;
        is_stale_ = true;
        return {};
    }
    for (std::size_t at = 0; at != one.parts.size(); ++at) {
        part& mine = parts_[one.parts[at]];
        mine.answers = &one.answers;
        mine.index = one.places[at];
        const resp::reply_view answer = one.answers[mine.index];
        if (!answer.is_error()) {
            mine.is_done = true;
            continue;
        }
        result<void> followed = follow(mine, server_reply_error(answer.text()), one.to->where);
        if (!followed) {
            return followed;
        }
    }
    return {};
}

// An error reply says where the command has to go, or that it has come to its end.
result<void> cluster_run::follow(part& one, const error& said, const server_host& teller) {
    if (is_passing(said)) {
        one.redirects = 0;
        waits_ = true;
        is_stale_ = is_stale_ || said != errc::try_again;
        return {};
    }
    const bool is_move = said == errc::moved;
    if (!is_move && said != errc::ask) {
        one.is_done = true;
        return {};
    }
    const std::optional<redirect> where = redirect_in(said.message(), teller);
    if (!where) {
        return std::unexpected(
            error(make_error_code(errc::protocol_error), "a redirect names no slot or no node"));
    }
    if (++one.redirects > cluster_client::redirects_max) {
        return std::unexpected(error(make_error_code(errc::too_many_redirects),
                                     "slot " + std::to_string(where->slot) + ": more than " +
                                         std::to_string(cluster_client::redirects_max) +
                                         " redirects, the last to " + where->to.to_string()));
    }
    if (is_move) {
        ++core_.counters().moved;
        core_.assign(where->slot, where->to);
    } else {
        ++core_.counters().asked;
        one.asked = where->to;
    }
    // Nodes that send it to and fro have not agreed yet.
    waits_ = waits_ || one.redirects > 2;
    is_stale_ = is_stale_ || one.redirects > 2;
    return {};
}

time_point cluster_run::next_attempt() {
    const duration pause = core_.options().reconnect.delay(attempts_++, core_.draw());
    return saturating_add(event_loop::current()->now(), pause);
}

// Rounds may be many: only replies that are the last of a command are kept.
void cluster_run::drop_old_parcels() noexcept {
    std::erase_if(parcels_, [this](const std::unique_ptr<parcel>& old) {
        return std::ranges::none_of(
            parts_, [&old](const part& one) { return one.answers == &old->answers; });
    });
}

result<replies> cluster_run::take_replies() {
    if (parcels_.size() == 1 && parcels_.front()->commands.size() == parts_.size()) {
        return std::move(parcels_.front()->answers);  // all in order, without ASKING
    }
    replies all;
    for (const part& one : parts_) {
        all.add((*one.answers)[one.index]);
    }
    return all;
}

// There is no time for another round: error replies are replies, a node that could not be reached
// is an error.
result<replies> cluster_run::give_up() {
    const auto has_answer = [](const part& one) { return one.answers != nullptr; };
    if (!std::ranges::all_of(parts_, has_answer)) {
        return std::unexpected(last_failure_.value_or(error(errc::timed_out)));
    }
    return take_replies();
}

error canceled_error() { return error(std::make_error_code(std::errc::operation_canceled)); }

}  // namespace

bool is_worth_a_round(const error& said, const call_options& options) noexcept {
    return said == errc::moved || said == errc::ask || is_passing(said) ||
           may_be_repeated(said, options);
}

task<result<replies>> run_on_cluster(std::shared_ptr<cluster_core> core, pipeline commands,
                                     call_options options, std::optional<std::uint16_t> slot) {
    if (commands.empty()) {
        co_return replies();
    }
    cluster_run way(*core, commands, options, slot);
    try {
        co_return co_await way.run();
    } catch (const canceled&) {
        co_return std::unexpected(canceled_error());
    }
}

task<result<void>> refresh_cluster(std::shared_ptr<cluster_core> core) {
    try {
        co_return co_await core->refresh(core->version());
    } catch (const canceled&) {
        co_return std::unexpected(canceled_error());
    }
}

task<result<std::shared_ptr<client>>> find_client(std::shared_ptr<cluster_core> core,
                                                  std::string key) {
    try {
        const std::uint16_t slot = slot_of(key);
        if (core->is_closed()) {
            co_return std::unexpected(error(errc::closed));
        }
        if (core->owner_of(slot) == nullptr) {
            const result<void> read = co_await core->refresh(core->version());
            if (!read) {
                co_return std::unexpected(read.error());
            }
        }
        const cluster_core::node owner = core->owner_of(slot);
        if (owner == nullptr) {
            co_return std::unexpected(
                error(make_error_code(errc::cluster_down),
                      "CLUSTERDOWN no node has the slot " + std::to_string(slot)));
        }
        co_return std::shared_ptr<client>(owner, &owner->connection);
    } catch (const canceled&) {
        co_return std::unexpected(canceled_error());
    }
}

task<> close_cluster(std::shared_ptr<cluster_core> core) {
    core->begin_close();
    const std::vector<cluster_core::node> all = core->nodes();
    for (const cluster_core::node& one : all) {
        co_await one->connection.close();
    }
}

}  // namespace weir::redisq::detail
