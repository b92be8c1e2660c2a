#include "driver.hpp"

#include "assert.hpp"

namespace weir {

result<std::uint16_t> driver::add_buffer_group(std::byte* /*memory*/, std::uint32_t /*count*/,
                                               std::uint32_t /*size*/) {
    return std::unexpected(std::make_error_code(std::errc::not_supported));
}

void driver::remove_buffer_group(std::uint16_t group) noexcept {
    detail::fatal("this driver has no buffer group %u", unsigned{group});
}

void driver::provide_buffer(std::uint16_t group, std::uint16_t /*buffer*/) noexcept {
    detail::fatal("this driver has no buffer group %u", unsigned{group});
}

}  // namespace weir
