#include "detail/aio_list.hpp"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

#include "../../runtime/event_loop.hpp"
#include "../../runtime/scope.hpp"
#include "../../runtime/sleep.hpp"
#include "../../runtime/stop.hpp"
#include "../detail/duration_text.hpp"
#include "detail/answer.hpp"

namespace weir::redisq {

void aio_options::check() const {
    if (max_concurrency == 0 || max_concurrency > 1'000'000) {
        throw std::invalid_argument("aio_options::max_concurrency is " +
                                    std::to_string(max_concurrency) + "; allowed: 1 to 1000000");
    }
    if (lease < std::chrono::milliseconds(100) || lease > std::chrono::hours(24)) {
        throw std::invalid_argument("aio_options::lease is " + detail::duration_text(lease) +
                                    "; allowed: 100ms to 1d");
    }
}

namespace detail {
namespace {

constexpr std::size_t fetch_max = 64;
constexpr std::size_t fetch_bytes_max = std::size_t{16} << 20U;
constexpr std::size_t give_back_max = 500;
constexpr duration pause_first = std::chrono::milliseconds(50);
constexpr duration pause_longest = std::chrono::seconds(2);
constexpr duration wait_longest = std::chrono::seconds(5);
constexpr int last_tries = 3;  // of telling that a call has ended, once it is to stop

pool_options slots(std::size_t count) {
    pool_options options;
    options.max_concurrency = count;
    options.max_queue_size = count;
    options.name = "aio_task";
    return options;
}

std::string milliseconds_of(duration length) {
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(length).count());
}

bool is_stop(const error& why) { return why.code() == std::errc::operation_canceled; }

task<> sleep_task(duration length) { co_await sleep_for(length); }
task<> until_set(event* flag) { co_await flag->wait(); }

// Why the call failed; empty where it was stopped with its consumer.
std::string reason_of(const std::exception_ptr& thrown, bool is_ending) {
    try {
        std::rethrow_exception(thrown);
    } catch (const canceled& problem) {
        return is_ending ? "" : problem.what();
    } catch (const std::system_error& problem) {
        return is_ending && problem.code() == std::errc::operation_canceled ? "" : problem.what();
    } catch (const std::exception& problem) {
        const std::string_view text = problem.what();
        return std::string(text.empty() ? "failed" : text);
    } catch (...) {
        return "something that is no std::exception was thrown";
    }
}

}  // namespace

// Of one kind: told once, however long it lasts, and once when it has passed.
struct aio_list::trouble {
    bool is_known = false;
};

struct aio_list::consumer {
    consumer(aio_list& list, handler call)
        : id(list.random_.token()),
          running(list.key_ + ":running:" + id),
          arrived(list.key_ + ":arrived:" + id),
          lease(list.key_ + ":lease:" + id),
          function(std::move(call)),
          jobs(slots(list.options_.max_concurrency)) {}

    std::string id;
    std::string running;
    std::string arrived;
    std::string lease;
    handler function;
    pool jobs;
    std::uint64_t next_number = 1;
    std::size_t busy = 0;
    event freed;
    stop_source halt;        // nothing more is taken
    bool is_ending = false;  // what still runs is stopped
    trouble fetch, ends, beats;
};

aio_list::aio_list(client& server, std::string_view queue, aio_options options)
    : server_(server),
      key_("nb_aio_task:" + std::string(queue)),
      options_(std::move(options)),
      scripts_(server) {
    options_.check();
    if (queue.empty() || queue.size() > 128) {
        throw std::invalid_argument("queue name of " + std::to_string(queue.size()) +
                                    " bytes; allowed: 1 to 128");
    }
}

task<> aio_list::push(std::string element) {
    static_cast<void>(answer_of(co_await server_.command<std::size_t>("RPUSH", key_, element)));
}

task<std::size_t> aio_list::size() {
    co_return answer_of(co_await server_.command<std::size_t>(idempotent, "LLEN", key_));
}

task<> aio_list::clear() { answer_of(co_await server_.command<void>(idempotent, "DEL", key_)); }

void aio_list::stop() noexcept {
    if (active_ != nullptr) {
        active_->halt.request_stop();
    }
}

void aio_list::report(const std::string& text) const {
    if (options_.on_report) {
        options_.on_report(text);
    } else {
        std::fprintf(stderr, "weir aio_task: %s\n", text.c_str());
    }
}

void aio_list::note(trouble& of, const result<void>& outcome) const {
    const bool is_bad = !outcome.has_value();
    if (std::exchange(of.is_known, is_bad) != is_bad) {
        report(key_ + ": " + (is_bad ? outcome.error().message() : "goes on"));
    }
}

task<> aio_list::consume(handler function) {
    WEIR_ASSERT(active_ == nullptr, "a list is consumed once at a time by one object");
    consumer self(*this, std::move(function));
    active_ = &self;
    std::exception_ptr failure;
    scope beats;
    try {
        static_cast<void>(answer_of(co_await beat(&self)));
        beats.spawn(beat_loop(&self));
        co_await fetch_loop(&self);
    } catch (...) {
        failure = std::current_exception();
    }
    active_ = nullptr;
    self.is_ending = true;
    // A stop of the task that runs this does not end these waits.
    co_await self.jobs.stop();
    beats.request_stop();
    try {
        co_await beats.join();
    } catch (...) {
        failure = failure != nullptr ? failure : std::current_exception();
    }
    if (failure != nullptr) {
        std::rethrow_exception(failure);
    }
    // Where this fails, others do it when the lease is over.
    const result<void> ended = co_await server_.command<void>(idempotent, "DEL", self.lease);
    if (ended) {
        static_cast<void>(co_await give_back(self.id, false, time_point::max()));
    }
}

task<> aio_list::fetch_loop(consumer* self) {
    duration pause = pause_first;
    while (!self->halt.stop_requested()) {
        self->freed.reset();
        const std::size_t room = options_.max_concurrency - self->busy;
        bool is_fine = true;
        try {
            if (room == 0) {
                co_await with_stop(self->halt, until_set(&self->freed));
                continue;
            }
            const result<void> step = co_await take_or_wait(self, std::min(room, fetch_max));
            note(self->fetch, step);
            is_fine = step.has_value();
            if (!is_fine) {
                co_await with_stop(self->halt, sleep_task(pause));
            }
        } catch (const canceled&) {
            if (!self->halt.stop_requested()) {
                throw;
            }
        }
        pause = is_fine ? pause_first : std::min(pause * 2, pause_longest);
    }
    while (self->busy != 0) {
        self->freed.reset();
        co_await self->freed.wait();
    }
}

// Starts what there is; where there is nothing, waits for more, and may be stopped.
task<result<void>> aio_list::take_or_wait(consumer* self, std::size_t count) {
    script_runner::words keys = {key_, self->running, self->arrived, key_ + ":failed"};
    script_runner::words arguments = {std::to_string(self->next_number), std::to_string(count),
                                      std::to_string(server_.options().limits.bulk_bytes_max),
                                      std::to_string(fetch_bytes_max)};
    const result<resp::reply> taken =
        co_await scripts_.run(scripts::aio_take, std::move(keys), std::move(arguments), idempotent);
    if (!taken && is_stop(taken.error())) {
        throw canceled();
    }
    if (!taken) {
        co_return std::unexpected(taken.error());
    }
    for (const resp::reply_view element : taken->view()) {
        ++self->busy;
        co_await self->jobs.post(&aio_list::run_one, this, self, self->next_number++,
                                 std::string(element.text()));
    }
    if (!taken->view().empty()) {
        co_return result<void>();
    }
    co_return co_await with_stop(self->halt, wait_for_more(self));
}

// What comes stands in a list of this consumer's, also where nobody hears of it.
task<result<void>> aio_list::wait_for_more(consumer* self) {
    const duration limit = std::min<duration>(wait_longest, options_.lease / 2);
    const std::string seconds = std::to_string(std::chrono::duration<double>(limit).count());
    const result<resp::reply> moved = co_await server_.blocking<resp::reply>(
        call_options().within(limit + wait_longest), "BLMOVE", key_, self->arrived, "LEFT", "RIGHT",
        seconds);
    if (!moved && is_stop(moved.error())) {
        throw canceled();
    }
    co_return moved ? result<void>() : std::unexpected(moved.error());
}

task<> aio_list::run_one(aio_list* list, consumer* self, std::uint64_t number,
                         std::string element) {
    std::exception_ptr thrown;
    try {
        co_await self->function(read_aio_call(element));
    } catch (...) {
        thrown = std::current_exception();
    }
    const std::string reason =
        thrown != nullptr ? reason_of(thrown, self->is_ending) : std::string();
    if (thrown == nullptr || !reason.empty()) {
        std::string failed;
        if (thrown != nullptr) {
            failed = std::move(element) + "\n" + reason;
        }
        try {
            co_await list->finish(self, number, std::move(failed));
        } catch (const canceled&) {
            thrown = std::current_exception();  // its consumer ends; it goes back, and runs again
        }
    }
    --self->busy;
    self->freed.set();
}

// Its slot is taken until Redis knows. `failed`: the element and the reason, where it has failed.
task<> aio_list::finish(consumer* self, std::uint64_t number, std::string failed) {
    const std::string field = std::to_string(number);
    int tries = 0;
    for (duration pause = pause_first;; pause = std::min(pause * 2, pause_longest)) {
        result<void> told;
        if (failed.empty()) {
            told = co_await server_.command<void>(idempotent, "HDEL", self->running, field);
        } else {
            script_runner::words keys = {self->running, key_ + ":failed"};
            script_runner::words arguments = {field, failed};
            const result<resp::reply> answer = co_await scripts_.run(
                scripts::aio_fail, std::move(keys), std::move(arguments), idempotent);
            told = answer ? result<void>() : std::unexpected(answer.error());
        }
        if (!told && is_stop(told.error())) {
            throw canceled();
        }
        note(self->ends, told);
        if (told || (self->halt.stop_requested() && ++tries == last_tries)) {
            co_return;
        }
        co_await sleep_for(pause);
    }
}

task<> aio_list::beat_loop(consumer* self) {
    bool is_done = true;
    for (;;) {
        if (is_done) {
            co_await sleep_for(std::min<duration>(options_.lease / 4, std::chrono::seconds(1)));
        }
        const result<bool> told = co_await beat(self);
        if (!told && is_stop(told.error())) {
            throw canceled();
        }
        note(self->beats, told ? result<void>() : std::unexpected(told.error()));
        is_done = told.value_or(true);
    }
}

// Renews the lease, and brings back what consumers without one held. False: there is more to bring,
// but not before the next beat.
task<result<bool>> aio_list::beat(consumer* self) {
    const time_point until = saturating_add(event_loop::current()->now(), options_.lease / 4);
    script_runner::words keys = {self->lease, key_ + ":consumers"};
    script_runner::words arguments = {self->id, milliseconds_of(options_.lease), key_ + ":lease:"};
    const result<resp::reply> gone =
        co_await scripts_.run(scripts::aio_beat, std::move(keys), std::move(arguments), idempotent);
    if (!gone) {
        co_return std::unexpected(gone.error());
    }
    for (const resp::reply_view id : gone->view()) {
        result<bool> given = co_await give_back(std::string(id.text()), true, until);
        if (!given || !*given) {
            co_return given;
        }
    }
    co_return true;
}

// `forget`: nothing can arrive there any more. False: the time is up, or others take part.
task<result<bool>> aio_list::give_back(std::string id, bool forget, time_point until) {
    const std::string running = key_ + ":running:" + id;
    auto held = co_await server_.command<std::vector<std::string>>(idempotent, "HKEYS", running);
    if (!held) {
        co_return std::unexpected(held.error());
    }
    // Numbers without leading zeros, the highest first.
    std::ranges::sort(*held, [](const std::string& a, const std::string& b) {
        return a.size() != b.size() ? a.size() > b.size() : a > b;
    });
    for (std::size_t first = 0;;) {
        const std::size_t count = std::min(give_back_max, held->size() - first);
        const auto begin = held->begin() + static_cast<std::ptrdiff_t>(first);
        script_runner::words keys = {key_, running, key_ + ":arrived:" + id, key_ + ":lease:" + id,
                                     key_ + ":consumers"};
        script_runner::words arguments = {forget ? id : std::string(),
                                          std::to_string(give_back_max)};
        arguments.insert(arguments.end(), begin, begin + static_cast<std::ptrdiff_t>(count));
        const result<resp::reply> more = co_await scripts_.run(scripts::aio_back, std::move(keys),
                                                               std::move(arguments), idempotent);
        if (!more) {
            co_return std::unexpected(more.error());
        }
        const std::int64_t left = more->view().integer();
        if (left == 0) {
            co_return true;
        }
        first += left == 1 ? 0 : count;
        const bool is_at_end = left != 1 && first == held->size();
        if (is_at_end || event_loop::current()->now() >= until) {
            co_return false;
        }
    }
}

}  // namespace detail
}  // namespace weir::redisq
