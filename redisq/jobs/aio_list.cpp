#include "detail/aio_list.hpp"

#include <algorithm>
#include <stdexcept>

#include "../../runtime/scope.hpp"
#include "../../runtime/sleep.hpp"
#include "../detail/duration_text.hpp"
#include "../pipeline.hpp"
#include "../replies.hpp"

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
constexpr duration pause = std::chrono::milliseconds(100);

template <class T>
T value_of(result<T> outcome) {
    if (!outcome) {
        if (outcome.error().code() == std::errc::operation_canceled) {
            throw canceled();
        }
        throw exception(outcome.error());
    }
    if constexpr (!std::is_void_v<T>) {
        return std::move(*outcome);
    }
}

client_options without_timeout(client_options options) {
    options.command_timeout = duration::zero();
    return options;
}

pool_options slots(std::size_t count) {
    pool_options options;
    options.max_concurrency = count;
    options.max_queue_size = count;
    options.name = "aio_task";
    return options;
}

}  // namespace

struct aio_list::consumer {
    consumer(aio_list& list, handler call)
        : id(list.random_.token()),
          running(list.key_ + ":running:" + id),
          lease(list.key_ + ":lease:" + id),
          function(std::move(call)),
          blocking(without_timeout(list.server_.options())),
          jobs(slots(list.options_.max_concurrency)) {}

    std::string id;
    std::string running;
    std::string lease;
    handler function;
    client blocking;
    pool jobs;
    std::size_t busy = 0;
    event freed;
    bool is_stopping = false;
};

aio_list::aio_list(client& server, std::string_view queue, aio_options options)
    : server_(server), key_("nb_aio_task:" + std::string(queue)), options_(std::move(options)) {
    options_.check();
    if (queue.empty() || queue.size() > 128) {
        throw std::invalid_argument("queue name of " + std::to_string(queue.size()) +
                                    " bytes; allowed: 1 to 128");
    }
}

task<> aio_list::push(std::string element) {
    static_cast<void>(value_of(co_await server_.command<std::size_t>("RPUSH", key_, element)));
}

task<std::size_t> aio_list::size() {
    co_return value_of(co_await server_.command<std::size_t>(idempotent, "LLEN", key_));
}

task<> aio_list::clear() { value_of(co_await server_.command<void>(idempotent, "DEL", key_)); }

void aio_list::stop() noexcept {
    if (active_ != nullptr) {
        active_->is_stopping = true;
        active_->freed.set();
        active_->blocking.core().disconnect(error(errc::closed));
    }
}

task<> aio_list::consume(handler function) {
    WEIR_ASSERT(active_ == nullptr, "a list is consumed once at a time by one object");
    consumer self(*this, std::move(function));
    active_ = &self;
    std::exception_ptr failure;
    try {
        const auto lease_ms =
            std::chrono::duration_cast<std::chrono::milliseconds>(options_.lease).count();
        value_of(co_await server_.command<void>(idempotent, "SET", self.lease, 1, "PX", lease_ms));
        value_of(co_await server_.command<void>(idempotent, "SADD", key_ + ":consumers", self.id));
        scope beats;
        beats.spawn(beat_loop(&self));
        try {
            co_await fetch_loop(&self);
        } catch (...) {
            failure = std::current_exception();
        }
        beats.request_stop();
        co_await beats.join();
    } catch (...) {
        failure = failure != nullptr ? failure : std::current_exception();
    }
    active_ = nullptr;
    // A stop of the task that runs this does not end these waits.
    co_await self.jobs.stop();
    co_await self.blocking.close();
    if (failure == nullptr) {
        co_await take_back(self.id);
        value_of(co_await server_.command<void>(idempotent, "DEL", self.lease));
        co_return;
    }
    std::rethrow_exception(failure);
}

task<> aio_list::fetch_loop(consumer* self) {
    while (!self->is_stopping) {
        const std::size_t room = options_.max_concurrency - self->busy;
        if (room == 0) {
            self->freed.reset();
            co_await self->freed.wait();
            continue;
        }
        bool lost = false;
        try {
            const bool found = co_await fetch(self, std::min(room, fetch_max));
            if (!found && !self->is_stopping) {
                auto element = co_await self->blocking.command<std::optional<std::string>>(
                    "BLMOVE", key_, self->running, "LEFT", "RIGHT", 5);
                if (element && *element) {
                    ++self->busy;
                    co_await self->jobs.post(&aio_list::run_one, this, self, std::move(**element));
                }
                lost = !element;
            }
        } catch (const exception&) {
            lost = true;
        }
        if (lost && !self->is_stopping) {
            // An element may have moved without our knowing: when nothing runs, what is left is it.
            while (self->busy != 0) {
                self->freed.reset();
                co_await self->freed.wait();
            }
            co_await sleep_for(pause);
            try {
                co_await take_back(self->id);
            } catch (const exception&) {
                continue;
            }
        }
    }
    while (self->busy != 0) {
        self->freed.reset();
        co_await self->freed.wait();
    }
}

// Whether the list had something.
task<bool> aio_list::fetch(consumer* self, std::size_t count) {
    pipeline moves;
    for (std::size_t i = 0; i < count; ++i) {
        moves.add("LMOVE", key_, self->running, "LEFT", "RIGHT");
    }
    const replies answers = value_of(co_await self->blocking.execute(moves));
    bool found = false;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        std::optional<std::string> element = value_of(answers.get<std::optional<std::string>>(i));
        if (element) {
            found = true;
            ++self->busy;
            co_await self->jobs.post(&aio_list::run_one, this, self, std::move(*element));
        }
    }
    co_return found;
}

task<> aio_list::run_one(aio_list* list, consumer* self, std::string element) {
    std::string failure;
    bool stopped = false;
    try {
        co_await self->function(read_aio_call(element));
    } catch (const canceled&) {
        stopped = true;
    } catch (const std::exception& problem) {
        failure = problem.what();
        failure = failure.empty() ? "failed" : failure;
    } catch (...) {
        failure = "something that is no std::exception was thrown";
    }
    if (!stopped) {
        try {
            co_await list->finish(self, std::move(element), std::move(failure));
        } catch (const std::exception&) {
            stopped = true;  // it stays in the running list, and runs again
        }
    }
    --self->busy;
    self->freed.set();
}

task<> aio_list::finish(consumer* self, std::string element, std::string failure) {
    if (!failure.empty()) {
        value_of(co_await server_.command<void>(idempotent, "RPUSH", key_ + ":failed",
                                                element + "\n" + failure));
    }
    value_of(co_await server_.command<void>("LREM", self->running, 1, element));
}

task<> aio_list::beat_loop(consumer* self) {
    const auto lease_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(options_.lease).count();
    for (;;) {
        try {
            value_of(
                co_await server_.command<void>(idempotent, "SET", self->lease, 1, "PX", lease_ms));
            // Others may have taken it for dead meanwhile, and would not look for it again.
            value_of(
                co_await server_.command<void>(idempotent, "SADD", key_ + ":consumers", self->id));
            co_await recover(self);
        } catch (const exception&) {
            // It is tried again soon.
        }
        co_await sleep_for(std::min<duration>(options_.lease / 4, std::chrono::seconds(1)));
    }
}

// Brings back what dead consumers held.
task<> aio_list::recover(consumer* self) {
    const auto ids = value_of(co_await server_.command<std::vector<std::string>>(
        idempotent, "SMEMBERS", key_ + ":consumers"));
    for (const std::string& id : ids) {
        if (id == self->id) {
            continue;
        }
        const auto alive = value_of(
            co_await server_.command<std::size_t>(idempotent, "EXISTS", key_ + ":lease:" + id));
        if (alive == 0) {
            co_await take_back(id);
            value_of(co_await server_.command<void>(idempotent, "SREM", key_ + ":consumers", id));
        }
    }
}

task<> aio_list::take_back(std::string id) {
    const std::string running = key_ + ":running:" + id;
    for (;;) {
        const auto moved = value_of(co_await server_.command<std::optional<std::string>>(
            "LMOVE", running, key_, "RIGHT", "LEFT"));
        if (!moved) {
            co_return;
        }
    }
}

}  // namespace detail
}  // namespace weir::redisq
