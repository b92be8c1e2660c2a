// when_all: runs tasks at the same time and waits for all of them.
//
//     auto [user, orders] = co_await weir::when_all(load_user(id), load_orders(id));
//
// Yields the values in the order of the arguments (std::monostate for a task<void>). The first
// failure stops the others; when all have ended, the first error in time is rethrown. The vector
// form takes any number of tasks of one type, none included, and yields a vector, or nothing for
// task<void>.
//
// Thread: the loop's.
#pragma once

#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "scope.hpp"

namespace weir {

namespace detail {

// What a task yields, in a form that can be stored.
template <class T>
using stored_value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

// ref: the slot lives in the frame that waits for this task.
template <class T>
task<> keep(task<T> source, std::optional<stored_value<T>>& slot) {
    if constexpr (std::is_void_v<T>) {
        co_await std::move(source);
        slot.emplace();
    } else {
        slot.emplace(co_await std::move(source));
    }
}

// ref: as above. Spawning inside a child makes a failing allocation stop what was spawned before.
template <class... T>
task<> spawn_kept(scope& s, std::tuple<task<T>...>& sources,
                  std::tuple<std::optional<stored_value<T>>...>& slots) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (s.spawn(keep(std::move(std::get<I>(sources)), std::get<I>(slots))), ...);
    }(std::index_sequence_for<T...>());
    co_return;
}

// ref: as above.
template <class T>
task<> spawn_all_kept(scope& s, std::vector<task<T>>& sources,
                      std::vector<std::optional<stored_value<T>>>& slots) {
    for (std::size_t index = 0; index < sources.size(); ++index) {
        s.spawn(keep(std::move(sources[index]), slots[index]));
    }
    co_return;
}

// A scope whose children end only by failing or by the surroundings' stop has all values unless
// join() threw; a child that was stopped by nobody and threw canceled counts as failed.
template <class T>
T take_slot(std::optional<T>& slot) {
    if (!slot) {
        throw canceled();
    }
    return std::move(*slot);
}

}  // namespace detail

template <class... T>
[[nodiscard]] task<std::tuple<detail::stored_value<T>...>> when_all(task<T>... tasks) {
    std::tuple<task<T>...> sources(std::move(tasks)...);
    std::tuple<std::optional<detail::stored_value<T>>...> slots;
    scope s;
    s.spawn(detail::spawn_kept<T...>(s, sources, slots));
    co_await s.join();
    co_return std::apply(
        [](auto&... slot) {
            return std::tuple<detail::stored_value<T>...>(detail::take_slot(slot)...);
        },
        slots);
}

template <class T>
    requires(!std::is_void_v<T>)
[[nodiscard]] task<std::vector<T>> when_all(std::vector<task<T>> tasks) {
    std::vector<std::optional<T>> slots(tasks.size());
    scope s;
    s.spawn(detail::spawn_all_kept<T>(s, tasks, slots));
    co_await s.join();
    std::vector<T> values;
    values.reserve(slots.size());
    for (std::optional<T>& slot : slots) {
        values.push_back(detail::take_slot(slot));
    }
    co_return values;
}

[[nodiscard]] inline task<> when_all(std::vector<task<>> tasks) {
    std::vector<std::optional<std::monostate>> slots(tasks.size());
    scope s;
    s.spawn(detail::spawn_all_kept<void>(s, tasks, slots));
    co_await s.join();
}

}  // namespace weir
