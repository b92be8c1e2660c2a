#include "result.hpp"

#include <string>

namespace weir {
namespace {

class runtime_error_category final : public std::error_category {
  public:
    [[nodiscard]] const char* name() const noexcept override { return "weir"; }

    [[nodiscard]] std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
            case errc::inbox_full:
                return "the loop's inbox is full";
            case errc::channel_closed:
                return "the channel is closed";
            case errc::ring_unavailable:
                return "io_uring is not available";
            case errc::loop_already_running:
                return "the loop is already running";
        }
        return "unknown weir error " + std::to_string(value);
    }
};

}  // namespace

const std::error_category& runtime_category() noexcept {
    static const runtime_error_category category;
    return category;
}

std::error_code make_error_code(errc code) noexcept {
    return {static_cast<int>(code), runtime_category()};
}

}  // namespace weir
