#include "detail/memory_bio.hpp"

#include <algorithm>
#include <new>

namespace weir::detail {
namespace {

int read_input(BIO* bio, char* into, std::size_t size, std::size_t* got) noexcept {
    auto& input = *static_cast<wire_input*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    *got = std::min(size, input.end - input.begin);
    if (*got == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    const std::byte* const first = input.memory.get() + input.begin;
    std::copy_n(first, *got, reinterpret_cast<std::byte*>(into));
    input.begin += *got;
    return 1;
}

int write_output(BIO* bio, const char* from, std::size_t size, std::size_t* taken) noexcept {
    auto& output = *static_cast<std::vector<std::byte>*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const auto* const first = reinterpret_cast<const std::byte*>(from);
    try {
        output.insert(output.end(), first, first + size);
    } catch (const std::bad_alloc&) {
        *taken = 0;
        return 0;
    }
    *taken = size;
    return 1;
}

long control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) noexcept {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

// Lives as long as the process, as connections may until its very end.
BIO_METHOD* make_method() noexcept {
    BIO_METHOD* const method =
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "weir memory");
    if (method != nullptr) {
        BIO_meth_set_read_ex(method, &read_input);
        BIO_meth_set_write_ex(method, &write_output);
        BIO_meth_set_ctrl(method, &control);
    }
    return method;
}

bio_owner make_bio(void* data) {
    // One for both: a BIO is told which end it is by the call that is made on it.
    static BIO_METHOD* const method = make_method();
    bio_owner bio(method != nullptr ? BIO_new(method) : nullptr);
    if (bio != nullptr) {
        BIO_set_data(bio.get(), data);
        BIO_set_init(bio.get(), 1);
    }
    return bio;
}

}  // namespace

bio_owner make_reading_bio(wire_input& input) { return make_bio(&input); }

bio_owner make_writing_bio(std::vector<std::byte>& output) { return make_bio(&output); }

}  // namespace weir::detail
