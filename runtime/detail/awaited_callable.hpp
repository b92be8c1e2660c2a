// Which callables may stand beside a co_await.
#pragma once

#include <type_traits>

namespace weir {

// Of the pool above; a type with a declared constructor is safe.
template <class F>
class owned;

namespace detail {

template <class F>
inline constexpr bool is_owned_callable = false;
template <class F>
inline constexpr bool is_owned_callable<owned<F>> = true;

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
inline constexpr bool awaited_lambdas_die_twice = true;
#else
inline constexpr bool awaited_lambdas_die_twice = false;
#endif

// g++ 12 destroys a capturing lambda twice when it is a temporary beside a co_await. `F` is as
// deduced from F&&.
template <class F>
constexpr void check_awaited_callable() noexcept {
    static_assert(!awaited_lambdas_die_twice || std::is_lvalue_reference_v<F> ||
                      !std::is_class_v<F> || std::is_trivially_destructible_v<F> ||
                      is_owned_callable<F>,
                  "this compiler destroys a temporary callable twice beside a co_await: pass a "
                  "function and its arguments, or a named lambda as an lvalue (it is copied)");
}

}  // namespace detail
}  // namespace weir
