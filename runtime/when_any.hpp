// when_any: runs tasks at the same time and yields what the first one to end has to say.
//
//     auto first = co_await weir::when_any(read_reply(), read_signal());
//     if (first.index == 0) { use(std::get<0>(first.value)); }
//
// The others are stopped, and joined before the await ends; what they return or throw after the
// first has ended is dropped. Where the first to end fails, its exception is rethrown.
//
// Requires at least one task. Thread: the loop's.
#pragma once

#include <cstddef>
#include <exception>
#include <optional>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "scope.hpp"
#include "when_all.hpp"

namespace weir {

// Which task ended first, and its value (std::monostate for a task<void>).
template <class Value>
struct when_any_result {
    std::size_t index = 0;
    Value value;
};

namespace detail {

template <class Value>
struct race {
    static constexpr std::size_t nobody = static_cast<std::size_t>(-1);
    std::size_t winner = nobody;
    std::optional<Value> value;
    std::exception_ptr error;
};

// ref: scope and race live in the frame that waits for this task. `make` turns the task's value
// into the race's.
template <class T, class Value, class Make>
task<> contend(scope& s, race<Value>& r, std::size_t index, task<T> source, Make make) {
    std::exception_ptr error;
    std::optional<stored_value<T>> value;
    try {
        co_await keep(std::move(source), value);
    } catch (...) {
        error = std::current_exception();
    }
    if (r.winner != race<Value>::nobody) {
        co_return;
    }
    if (error != nullptr && s.stop_requested()) {
        std::rethrow_exception(error);  // the surroundings stopped the race: nobody has won
    }
    r.winner = index;
    r.error = error;
    if (value) {
        r.value.emplace(make(std::move(*value)));
    }
    s.request_stop();
}

template <class Value>
when_any_result<Value> decide(race<Value>& r) {
    if (r.error != nullptr) {
        std::rethrow_exception(r.error);
    }
    if (!r.value) {
        throw canceled();
    }
    return when_any_result<Value>{r.winner, std::move(*r.value)};
}

template <std::size_t Index, class Variant>
struct make_alternative {
    template <class T>
    Variant operator()(T&& value) const {
        return Variant(std::in_place_index<Index>, std::forward<T>(value));
    }
};

// ref: as contend.
template <class Value, class... T>
task<> spawn_contenders(scope& s, race<Value>& r, std::tuple<task<T>...>& sources) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (s.spawn(contend(s, r, I, std::move(std::get<I>(sources)), make_alternative<I, Value>())),
         ...);
    }(std::index_sequence_for<T...>());
    co_return;
}

// ref: as contend.
template <class T>
task<> spawn_contenders(scope& s, race<stored_value<T>>& r, std::vector<task<T>>& sources) {
    for (std::size_t index = 0; index < sources.size(); ++index) {
        s.spawn(contend(s, r, index, std::move(sources[index]), std::identity()));
    }
    co_return;
}

}  // namespace detail

// `value` is a std::variant with one alternative an argument; first.index names it.
template <class... T>
    requires(sizeof...(T) > 0)
[[nodiscard]] task<when_any_result<std::variant<detail::stored_value<T>...>>> when_any(
    task<T>... tasks) {
    using value = std::variant<detail::stored_value<T>...>;
    std::tuple<task<T>...> sources(std::move(tasks)...);
    detail::race<value> r;
    scope s;
    s.spawn(detail::spawn_contenders<value, T...>(s, r, sources));
    co_await s.join();
    co_return detail::decide(r);
}

template <class T>
[[nodiscard]] task<when_any_result<detail::stored_value<T>>> when_any(std::vector<task<T>> tasks) {
    WEIR_ASSERT(!tasks.empty(), "when_any needs at least one task");
    detail::race<detail::stored_value<T>> r;
    scope s;
    s.spawn(detail::spawn_contenders<T>(s, r, tasks));
    co_await s.join();
    co_return detail::decide(r);
}

}  // namespace weir
