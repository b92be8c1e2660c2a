// queue: where jobs are submitted.
//
//     weir::redisq::client redis("redis://localhost");
//     weir::redisq::queue q(redis, "images");
//     co_await q.submit(thumbnail, "a.png", 128);   // builds resize{"a.png", 128} in place
//
// A submit that has returned is kept by Redis until the job was run or is dead. One that throws
// errc::connection_lost or timed_out may have been queued or not: with a unique key, or
// submit_options::repeat_safely(), it is repeated until one or the other is sure.
//
// submit() costs one command, which leaves with all others of the tick. submit_many() sends any
// number in as few flushes as they need.
//
// With queue_options::max_length, jobs that wait, are delayed or run are counted by the server, and
// submit() waits in line while there are so many: nothing is ever trimmed.
//
// On a cluster, with a cluster_client instead of the client, all of a queue lives at one node;
// several queues make use of several.
//
// Errors: redisq::exception (job_errc: payload_too_large, bad_payload, queue_full, and those of the
// server and of the way to it); std::invalid_argument for options; weir::canceled.
// Lifetime: not longer than its client, and longer than its handles and calls. Thread: the loop's.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../../runtime/mutex.hpp"
#include "../client.hpp"
#include "detail/job_server.hpp"
#include "detail/random.hpp"
#include "detail/script_runner.hpp"
#include "job_chain.hpp"
#include "job_handle.hpp"
#include "job_type.hpp"
#include "keys.hpp"
#include "options.hpp"
#include "submit_options.hpp"

namespace weir::redisq {

namespace detail {
class result_board;
}

class queue {
  public:
    // `server`: a client or a cluster_client. Throws std::invalid_argument for a name or options
    // that are not sound.
    explicit queue(detail::job_server server, std::string_view name = "default",
                   queue_options options = {});
    queue(const queue&) = delete;
    queue& operator=(const queue&) = delete;
    ~queue();

    // One job; its payload is made of the arguments as Payload{arguments...}. Yields a
    // job_handle<job_type>. Waits while the queue is at its limit.
    template <class P, class R, class C, class... A>
    [[nodiscard]] task<job_handle<job_type<P, R, C>>> submit(const job_type<P, R, C>& type,
                                                             A&&... arguments) {
        return to_handle<job_type<P, R, C>>(
            submit_plain(encoded(type, std::forward<A>(arguments)...), true));
    }
    template <class P, class R, class C, class... A>
    [[nodiscard]] task<job_handle<job_type<P, R, C>>> submit(const submit_options& options,
                                                             const job_type<P, R, C>& type,
                                                             A&&... arguments) {
        options.check();
        return to_handle<job_type<P, R, C>>(
            submit_with(options, encoded_with(options, type, std::forward<A>(arguments)...), true));
    }

    // The first job of a chain, made of the arguments; yields a handle of the last one.
    template <class First, class Last, class... A>
    [[nodiscard]] task<job_handle<Last>> submit(const job_chain<First, Last>& steps,
                                                A&&... arguments) {
        return submit(submit_options(), steps, std::forward<A>(arguments)...);
    }
    template <class First, class Last, class... A>
    [[nodiscard]] task<job_handle<Last>> submit(const submit_options& options,
                                                const job_chain<First, Last>& steps,
                                                A&&... arguments) {
        options.check();
        std::string payload;
        steps.first().encode(payload, std::forward<A>(arguments)...);
        check_size(steps.first().name(), payload.size());
        return to_handle<Last>(
            submit_with(options, chain_with(options, steps.steps(), payload), true));
    }

    // The same, but job_errc::queue_full at once where submit() would wait, also behind others.
    template <class P, class R, class C, class... A>
    [[nodiscard]] task<job_handle<job_type<P, R, C>>> try_submit(const job_type<P, R, C>& type,
                                                                 A&&... arguments) {
        return to_handle<job_type<P, R, C>>(
            submit_plain(encoded(type, std::forward<A>(arguments)...), false));
    }

    // One job for each element of the range, which may be lazy, in its order. Yields how many: all.
    // Where it throws, those before the one that failed may have been queued.
    template <class P, class R, class C, std::ranges::input_range Range>
    [[nodiscard]] task<std::size_t> submit_many(job_type<P, R, C> type, Range payloads,
                                                int lane = lane_default);

    // An envelope's bytes, made elsewhere. Yields the job's id.
    [[nodiscard]] task<std::string> submit_envelope(std::string bytes, int lane = lane_default);

    // Cancels a job by its id, running or not. May be repeated by itself when a connection is lost.
    [[nodiscard]] task<cancel_outcome> cancel(std::string id);

    // Jobs that wait, are delayed or run, counted in one moment.
    [[nodiscard]] task<std::size_t> size();

    // A handle of a job whose id was kept.
    template <class P, class R, class C>
    [[nodiscard]] job_handle<job_type<P, R, C>> find(const job_type<P, R, C>& /*type*/,
                                                     std::string id) {
        return job_handle<job_type<P, R, C>>(job_handle_base(*this, std::move(id), false, true));
    }

    [[nodiscard]] const queue_keys& keys() const noexcept { return keys_; }
    [[nodiscard]] const queue_options& options() const noexcept { return options_; }
    [[nodiscard]] const detail::job_server& server() const noexcept { return server_; }

  private:
    friend class job_handle_base;

    // What submit_many gathers: two buffers, one of which may be on its way.
    class bulk;

    template <class Type, class... A>
    std::string encoded(const Type& type, A&&... arguments) const {
        std::string bytes;
        begin(bytes, type);
        type.encode(bytes, std::forward<A>(arguments)...);
        check_size(type.name(), bytes.size());
        return bytes;
    }
    template <class Type, class... A>
    std::string encoded_with(const submit_options& options, const Type& type,
                             A&&... arguments) const {
        std::string payload;
        type.encode(payload, std::forward<A>(arguments)...);
        check_size(type.name(), payload.size());
        return envelope_with(options, type.name(), Type::codec::format, payload);
    }
    // The head of a job without fields.
    template <class Type>
    static void begin(std::string& bytes, const Type& type) {
        envelope head;
        head.type = type.name();
        head.format = Type::codec::format;
        write_envelope(bytes, head);
    }
    void check_size(std::string_view type, std::size_t bytes) const;
    [[nodiscard]] std::string envelope_with(const submit_options& options, std::string_view type,
                                            payload_format format, std::string_view payload) const;

    [[nodiscard]] std::string chain_with(const submit_options& options,
                                         const std::vector<chain_step>& steps,
                                         std::string_view payload) const;
    [[nodiscard]] envelope head_with(const submit_options& options, const chain_step& step) const;

    template <class Type>
    static task<job_handle<Type>> to_handle(task<job_handle_base> made) {
        co_return job_handle<Type>(co_await std::move(made));
    }
    [[nodiscard]] task<job_handle_base> submit_plain(std::string bytes, bool waits);
    [[nodiscard]] task<job_handle_base> submit_with(submit_options options, std::string bytes,
                                                    bool waits);
    [[nodiscard]] task<std::string> add_plain(std::string bytes, int lane, bool waits);
    [[nodiscard]] task<std::size_t> add_limited(const std::vector<std::string>* jobs, int lane,
                                                bool waits, std::string* id);
    [[nodiscard]] task<> wait_for_room(duration* pause);
    [[nodiscard]] task<> send(bulk* batch);
    // Sends what is left and waits for all, or, after a failure, only waits.
    [[nodiscard]] task<> finish(bulk* batch, bool has_failed);
    template <class Type, class Range>
    task<std::size_t> fill(bulk* batch, Type type, Range payloads);
    [[nodiscard]] task<std::optional<std::string>> read_job(std::string id);
    [[nodiscard]] task<std::string> wait_for_result(std::string id, bool is_told, duration limit);
    [[nodiscard]] detail::result_board& board();
    [[nodiscard]] task<std::optional<std::string>> read_progress(std::string id);
    [[nodiscard]] exception full() const;

    detail::job_server server_;
    queue_keys keys_;
    queue_options options_;
    detail::script_runner scripts_;
    detail::random_source random_;
    std::string producer_;  // by which workers know it
    mutex line_;            // locked while somebody waits for room; those in line come next
    std::unique_ptr<detail::result_board> board_;  // once somebody has waited for a result
};

}  // namespace weir::redisq

#include "detail/bulk.hpp"  // IWYU pragma: export
