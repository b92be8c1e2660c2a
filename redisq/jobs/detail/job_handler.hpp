// What a worker knows of a handler: its type's name, its limits, and how to run a job with it.
//
// Thread: made anywhere, run on one loop at a time or on several; a handler that runs on several
// loops is called by several threads. The counters are each worker_core's own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "../../../runtime/task.hpp"
#include "../handler_options.hpp"
#include "../job_context.hpp"
#include "../job_type.hpp"

namespace weir::redisq {

namespace detail {

class job_handler {
  public:
    job_handler(std::string_view type, payload_format format, handler_options options)
        : type_(type), format_(format), options_(std::move(options)) {
        options_.check();
    }
    job_handler(const job_handler&) = delete;
    job_handler& operator=(const job_handler&) = delete;
    virtual ~job_handler() = default;

    [[nodiscard]] const std::string& type() const noexcept { return type_; }
    [[nodiscard]] payload_format format() const noexcept { return format_; }
    [[nodiscard]] const handler_options& options() const noexcept { return options_; }

    // Decodes, calls the user's function, keeps the result in the job.
    // ref: the job outlives its handler's task.
    [[nodiscard]] virtual task<> run(job_context& job) const = 0;

    // Jobs of one call; 1: run() is used, else run_batch().
    [[nodiscard]] virtual std::size_t batch_max() const noexcept { return 1; }
    [[nodiscard]] virtual duration linger() const noexcept { return duration::zero(); }
    // `failed` gets one error, or none, for each job.
    [[nodiscard]] virtual task<> run_batch(std::vector<job_context*> jobs,
                                           std::vector<std::exception_ptr>* failed) const;

  private:
    std::string type_;
    payload_format format_;
    handler_options options_;
};

// What a call gives: the value of a task, or a plain one.
template <class T>
struct plain_value {
    using type = T;
    static constexpr bool is_task = false;
};
template <class T>
struct plain_value<task<T>> {
    using type = T;
    static constexpr bool is_task = true;
};

template <class Type, class F>
class typed_handler final : public job_handler {
    using payload = typename Type::payload_type;
    using result_type = typename Type::result_type;
    using codec = typename Type::codec;
    static constexpr bool takes_context = std::is_invocable_v<const F&, payload, job_context&>;
    static_assert(takes_context || std::is_invocable_v<const F&, payload>,
                  "a handler takes the job's payload, and a job_context& if it likes");

    static auto call(const F& function, payload&& value, job_context& job) {
        if constexpr (takes_context) {
            return std::invoke(function, std::move(value), job);
        } else {
            static_cast<void>(job);
            return std::invoke(function, std::move(value));
        }
    }
    using returned = plain_value<decltype(call(std::declval<const F&>(), std::declval<payload>(),
                                               std::declval<job_context&>()))>;
    static_assert(std::is_convertible_v<typename returned::type, result_type> ||
                      std::is_void_v<result_type>,
                  "a handler gives its job type's result, or a task of it");

  public:
    typed_handler(const Type& type, F function, handler_options options)
        : job_handler(type.name(), codec::format, std::move(options)),
          function_(std::move(function)) {}

    // ref: as above.
    task<> run(job_context& job) const override {
        payload value = codec::template decode<payload>(job_access::payload(job));
        if constexpr (std::is_void_v<result_type>) {
            if constexpr (returned::is_task) {
                co_await call(function_, std::move(value), job);
            } else {
                static_cast<void>(call(function_, std::move(value), job));
            }
        } else if constexpr (returned::is_task) {
            const result_type made = co_await call(function_, std::move(value), job);
            codec::encode(job_access::result(job), made);
        } else {
            const result_type made = call(function_, std::move(value), job);
            codec::encode(job_access::result(job), made);
        }
        co_return;
    }

  private:
    F function_;
};

template <class Type, class F>
class typed_batch_handler final : public job_handler {
    using payload = typename Type::payload_type;
    using codec = typename Type::codec;
    static_assert(std::is_void_v<typename Type::result_type>,
                  "jobs that are handled in batches have no results");
    static_assert(std::is_invocable_v<const F&, std::vector<payload>>,
                  "a batch handler takes a vector of payloads");

  public:
    typed_batch_handler(const Type& type, F function, batch_options options)
        : job_handler(type.name(), codec::format, options.each),
          function_(std::move(function)),
          max_(options.max_jobs),
          linger_(options.linger) {
        options.check();
    }

    // ref: as above.
    task<> run(job_context& job) const override {
        std::vector<payload> one;
        one.push_back(codec::template decode<payload>(job_access::payload(job)));
        co_await std::invoke(function_, std::move(one));
    }

    [[nodiscard]] std::size_t batch_max() const noexcept override { return max_; }
    [[nodiscard]] duration linger() const noexcept override { return linger_; }

    // A payload that cannot be read fails alone.
    task<> run_batch(std::vector<job_context*> jobs,
                     std::vector<std::exception_ptr>* failed) const override {
        std::vector<payload> values;
        std::vector<std::size_t> places;
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            try {
                values.push_back(codec::template decode<payload>(job_access::payload(*jobs[i])));
                places.push_back(i);
            } catch (...) {
                (*failed)[i] = std::current_exception();
            }
        }
        std::exception_ptr thrown;
        try {
            if (!values.empty()) {
                co_await std::invoke(function_, std::move(values));
            }
        } catch (const canceled&) {
            throw;  // whoever asked for it knows why
        } catch (...) {
            thrown = std::current_exception();
        }
        for (const std::size_t place : places) {
            (*failed)[place] = thrown;
        }
    }

  private:
    F function_;
    std::size_t max_;
    duration linger_;
};

}  // namespace detail
}  // namespace weir::redisq
