// owned: a callable with state, packed so that it can be handed to an awaited call.
//
//     weir::owned work{[text = std::string("x")] { return text.size(); }};   // its own statement
//     auto handle = co_await p.submit(std::move(work));
//
// Why: g++ 12 destroys a capturing lambda twice when it stands as a temporary in an expression with
// co_await. A type with a declared constructor, such as this one, is not affected. Every function
// of the pool that takes a callable therefore refuses, at compile time on such compilers, an rvalue
// of a class type with a destructor that does something, unless it is an `owned` or a task.
#pragma once

#include <functional>
#include <type_traits>
#include <utility>

#include "../runtime/task.hpp"

namespace weir {

template <class F>
class owned {
  public:
    explicit owned(F function) noexcept(std::is_nothrow_move_constructible_v<F>)
        : function_(std::move(function)) {}

    template <class... Arguments>
        requires std::invocable<F&, Arguments...>
    decltype(auto) operator()(Arguments&&... arguments) {
        return std::invoke(function_, std::forward<Arguments>(arguments)...);
    }

  private:
    F function_;
};

namespace detail {

template <class T>
inline constexpr bool is_owned = false;
template <class F>
inline constexpr bool is_owned<owned<F>> = true;

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
inline constexpr bool destroys_awaited_temporaries_twice = true;
#else
inline constexpr bool destroys_awaited_temporaries_twice = false;
#endif

// Whether a callable of type F&& (as deduced) is safe beside a co_await on this compiler.
template <class F>
inline constexpr bool safe_callable =
    !destroys_awaited_temporaries_twice || std::is_lvalue_reference_v<F> || !std::is_class_v<F> ||
    std::is_trivially_destructible_v<F> || is_owned<F> || is_task<F>;

template <class F>
constexpr void check_callable() noexcept {
    static_assert(safe_callable<F>,
                  "this compiler destroys a temporary callable twice beside a co_await: pass a "
                  "function and its arguments, or a named lambda as an lvalue (it is copied), or "
                  "write `weir::owned work{lambda};` in a statement of its own and pass "
                  "std::move(work)");
}

}  // namespace detail
}  // namespace weir
