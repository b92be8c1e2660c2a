#include "errors.hpp"

namespace weir {
namespace {

class thread_error_category final : public std::error_category {
  public:
    [[nodiscard]] const char* name() const noexcept override { return "weir.thread"; }

    [[nodiscard]] std::string message(int value) const override {
        switch (static_cast<thread_errc>(value)) {
            case thread_errc::full:
                return "as many calls are under way as are allowed";
            case thread_errc::closed:
                return "it is closed";
            case thread_errc::would_deadlock:
                return "the loop's own thread would wait for itself";
            case thread_errc::forked:
                return "it was made before fork(), and its threads are in the parent process";
        }
        return "unknown thread error " + std::to_string(value);
    }

    [[nodiscard]] std::error_condition default_error_condition(int value) const noexcept override {
        switch (static_cast<thread_errc>(value)) {
            case thread_errc::full:
                return std::errc::resource_unavailable_try_again;
            case thread_errc::would_deadlock:
                return std::errc::resource_deadlock_would_occur;
            case thread_errc::closed:
            case thread_errc::forked:
                break;
        }
        return {value, *this};
    }
};

}  // namespace

const std::error_category& thread_category() noexcept {
    static const thread_error_category category;
    return category;
}

std::error_code make_error_code(thread_errc code) noexcept {
    return {static_cast<int>(code), thread_category()};
}

namespace detail {

void throw_thread_error(thread_errc code, const std::string& who) {
    throw std::system_error(make_error_code(code), who);
}

}  // namespace detail
}  // namespace weir
