// How a call ended: its value, or the exception that left it.
#pragma once

#include <exception>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

#include "../../assert.hpp"

namespace weir::detail {

// T may be void or an lvalue reference.
template <class T>
class call_outcome {
    static_assert(!std::is_rvalue_reference_v<T>,
                  "a call that returns T&& would leave it dangling");
    struct nothing {};
    using stored = std::conditional_t<
        std::is_void_v<T>, nothing,
        std::conditional_t<std::is_reference_v<T>, std::remove_reference_t<T>*, T>>;

  public:
    // Keeps what `call()` returns or throws.
    template <class Call>
    void run(Call&& call) noexcept {
        try {
            if constexpr (std::is_void_v<T>) {
                std::forward<Call>(call)();
                set();
            } else {
                set(std::forward<Call>(call)());
            }
        } catch (...) {
            fail(std::current_exception());
        }
    }

    void set() noexcept
        requires std::is_void_v<T>
    {
        kept_.template emplace<1>();
    }
    template <class U>
    void set(U&& value) {
        if constexpr (std::is_reference_v<T>) {
            kept_.template emplace<1>(std::addressof(value));
        } else {
            kept_.template emplace<1>(std::forward<U>(value));
        }
    }
    void fail(std::exception_ptr error) noexcept { kept_.template emplace<2>(std::move(error)); }

    [[nodiscard]] std::exception_ptr error() const noexcept {
        return kept_.index() == 2 ? std::get<2>(kept_) : nullptr;
    }

    // Moves the value out, or rethrows.
    T take() {
        WEIR_ASSERT(kept_.index() != 0, "the outcome of a call that has not ended");
        if (kept_.index() == 2) [[unlikely]] {
            std::rethrow_exception(std::exchange(std::get<2>(kept_), nullptr));
        }
        if constexpr (std::is_reference_v<T>) {
            return static_cast<T>(*std::get<1>(kept_));
        } else if constexpr (!std::is_void_v<T>) {
            return std::move(std::get<1>(kept_));
        }
    }

  private:
    std::variant<std::monostate, stored, std::exception_ptr> kept_;
};

}  // namespace weir::detail
