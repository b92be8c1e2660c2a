// Whether a call of a function that returns a task leaves anything behind that dies with the call.
#pragma once

#include <type_traits>

namespace weir::detail {

// The frame of a coroutine holds its parameters. A temporary that becomes a parameter of its own
// type is moved into it; one that is bound to a reference, or that a view or a pointer was made of,
// is not.
template <class Parameter, class Argument>
inline constexpr bool frame_keeps =
    std::is_lvalue_reference_v<Argument> || std::is_same_v<std::remove_cv_t<Parameter>, Argument> ||
    (std::is_scalar_v<Parameter> && (!std::is_pointer_v<Parameter> || std::is_scalar_v<Argument>));

template <class Parameters, class... Arguments>
inline constexpr bool frame_keeps_all = false;
template <class... P, class... A>
    requires(sizeof...(P) == sizeof...(A))
inline constexpr bool frame_keeps_all<void(P...), A...> = (frame_keeps<P, A> && ...);

// `Arguments` as deduced from Arguments&&. Where the parameters of F cannot be seen, any temporary
// may be bound to a reference.
template <class F, class... Arguments>
inline constexpr bool frame_keeps_arguments = (std::is_lvalue_reference_v<Arguments> && ...);
template <class R, class... P, class... Arguments>
    requires(sizeof...(P) == sizeof...(Arguments))
inline constexpr bool frame_keeps_arguments<R (*)(P...), Arguments...> =
    frame_keeps_all<void(P...), Arguments...>;
template <class R, class... P, class... Arguments>
    requires(sizeof...(P) == sizeof...(Arguments))
inline constexpr bool frame_keeps_arguments<R (*)(P...) noexcept, Arguments...> =
    frame_keeps_all<void(P...), Arguments...>;

}  // namespace weir::detail
