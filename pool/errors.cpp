#include "errors.hpp"

#include <string>

namespace weir {
namespace {

class pool_error_category final : public std::error_category {
  public:
    [[nodiscard]] const char* name() const noexcept override { return "weir.pool"; }

    [[nodiscard]] std::string message(int value) const override {
        switch (static_cast<pool_errc>(value)) {
            case pool_errc::full:
                return "the pool is full";
            case pool_errc::closed:
                return "the pool is closed";
            case pool_errc::would_deadlock:
                return "the wait would never end: it waits for the waiting job itself";
            case pool_errc::admission_timed_out:
                return "no place became free within admit_within";
            case pool_errc::expired:
                return "the job expired before it was started";
        }
        return "unknown pool error " + std::to_string(value);
    }
};

}  // namespace

const std::error_category& pool_category() noexcept {
    static const pool_error_category category;
    return category;
}

std::error_code make_error_code(pool_errc code) noexcept {
    return {static_cast<int>(code), pool_category()};
}

pool_error::pool_error(pool_errc code, const char* pool_name)
    : std::system_error(make_error_code(code), std::string("pool \"") + pool_name + '"') {}

job_timed_out::job_timed_out(const char* pool_name, const char* job_name)
    : text_(std::string("pool \"") + pool_name + "\": job \"" +
            (job_name != nullptr ? job_name : "job") +
            "\" timed out: it did not end within finish_within") {}

}  // namespace weir
