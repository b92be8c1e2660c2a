#include "errors.hpp"

#include <string>

namespace weir {
namespace {

class file_error_category final : public std::error_category {
  public:
    [[nodiscard]] const char* name() const noexcept override { return "weir.file"; }

    [[nodiscard]] std::string message(int value) const override {
        switch (static_cast<file_errc>(value)) {
            case file_errc::end_of_file:
                return "it ends before all the bytes that were asked for";
            case file_errc::too_large:
                return "the file is larger than the limit";
            case file_errc::line_too_long:
                return "the line is longer than the limit";
        }
        return "unknown file error " + std::to_string(value);
    }
};

}  // namespace

const std::error_category& file_category() noexcept {
    static const file_error_category category;
    return category;
}

std::error_code make_error_code(file_errc code) noexcept {
    return {static_cast<int>(code), file_category()};
}

}  // namespace weir
