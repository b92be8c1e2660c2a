#include "workload.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstring>

namespace million_tasks {
namespace {

constexpr std::size_t taken_max = 50;  // of the payload, into the result
constexpr std::size_t digits_max = 20;

constexpr auto result_head = [] {
    std::array<char, 208> head{};
    head.fill('x');
    std::ranges::copy(std::string_view("result_"), head.begin());
    head.back() = '_';
    return head;
}();

constexpr std::size_t result_size_max = result_head.size() + digits_max + 1 + taken_max;

// Each returns the end of what it wrote.
char* append(char* out, std::string_view part) {
    std::memcpy(out, part.data(), part.size());
    return out + part.size();
}

char* append_digits(char* out, std::uint64_t number) {
    return std::to_chars(out, out + digits_max, number).ptr;
}

std::uint64_t load_8(const char* bytes) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof word);
    return word;
}

std::uint64_t mix(std::uint64_t index, std::uint64_t length, std::uint64_t head,
                  std::uint64_t tail) {
    return (index * 0x9E3779B97F4A7C15U ^ head) + (length * 0xC2B2AE3D27D4EB4FU ^ tail);
}

template <class Input>
double timed_loop(const payload_recipe& recipe, std::uint64_t first, std::uint64_t count) {
    const auto begin = std::chrono::steady_clock::now();
    std::uint64_t sum = 0;
    for (std::uint64_t i = first; i < first + count; ++i) {
        const Input input(recipe, i);
        sum += digest(input.result());
    }
    asm volatile("" : : "r"(sum));  // the sum counts as used, or the loop would be dropped
    const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - begin;
    return spent.count() / static_cast<double>(count);
}

std::uint64_t expected_numbers(std::uint64_t tasks) {
    const payload_recipe recipe(0);
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < tasks; ++i) {
        sum += digest(number(recipe, i).result());
    }
    return sum;
}

// The last eight characters of a result whose payload has fewer than 50 characters before its '_'.
std::uint64_t short_tail(std::uint64_t payload_bytes, std::uint64_t index) {
    std::array<char, 8 + digits_max + 1 + taken_max + 1 + digits_max> end{};
    char* out = append(end.data(), {result_head.data() + result_head.size() - 8, 8});
    out = append_digits(out, index);
    *out++ = '_';
    char* const payload = out;
    for (std::uint64_t k = 0; k < payload_bytes; ++k) {
        *out++ = "task"[k % 4];
    }
    *out++ = '_';
    out = append_digits(out, index);
    return load_8(std::min(out, payload + taken_max) - 8);
}

std::uint64_t expected_texts(std::uint64_t tasks, std::uint64_t payload_bytes) {
    const std::uint64_t head = load_8(result_head.data());
    const bool whole_tail = payload_bytes >= taken_max;
    std::uint64_t tail = load_8("sktaskta");  // characters 42 to 49 of "task" repeated
    std::uint64_t sum = 0;
    std::uint64_t digits = 1;
    for (std::uint64_t first = 0, end = 10; first < tasks; first = end, end *= 10, ++digits) {
        const std::uint64_t taken = std::min<std::uint64_t>(taken_max, payload_bytes + 1 + digits);
        const std::uint64_t length = result_head.size() + digits + 1 + taken;
        for (std::uint64_t i = first; i < std::min(end, tasks); ++i) {
            if (!whole_tail) {
                tail = short_tail(payload_bytes, i);
            }
            sum += mix(i, length, head, tail);
        }
    }
    return sum;
}

}  // namespace

payload_recipe::payload_recipe(std::uint64_t payload_bytes) : prefix_(payload_bytes + 1, '_') {
    for (std::uint64_t k = 0; k < payload_bytes; ++k) {
        prefix_[k] = "task"[k % 4];
    }
}

std::string payload_recipe::payload(std::uint64_t index) const {
    std::string out;
    out.resize_and_overwrite(prefix_.size() + digits_max, [&](char* data, std::size_t) {
        return static_cast<std::size_t>(append_digits(append(data, prefix_), index) - data);
    });
    return out;
}

std::string payload_recipe::result(std::string_view payload, std::uint64_t index) {
    std::string out;
    out.resize_and_overwrite(result_size_max, [&](char* data, std::size_t) {
        char* end = append(data, {result_head.data(), result_head.size()});
        end = append_digits(end, index);
        *end++ = '_';
        end = append(end, payload.substr(0, taken_max));
        return static_cast<std::size_t>(end - data);
    });
    return out;
}

std::uint64_t digest(const std::string& result) noexcept {
    if (result.size() < result_head.size() + 2) {
        return 0;
    }
    const char* const data = result.data();
    const char* const end = data + result.size();
    std::uint64_t index = 0;
    const auto parsed = std::from_chars(data + result_head.size(), end, index);
    if (parsed.ec != std::errc{} || *parsed.ptr != '_') {
        return 0;
    }
    return mix(index, result.size(), load_8(data), load_8(end - 8));
}

double floor_round_ns(const payload_recipe& recipe, std::uint64_t tasks) {
    // Long enough for the clock, short enough to be over before the machine changes its pace; the
    // last indices of the run, since most of its tasks have as many digits as those.
    const std::uint64_t bytes = recipe.payload_bytes();
    const std::uint64_t count =
        bytes == 0 ? 200'000 : std::max<std::uint64_t>(64, 20'000 / (1 + bytes / 1'000));
    const std::uint64_t first = tasks > count ? tasks - count : 0;
    return bytes == 0 ? timed_loop<number>(recipe, first, count)
                      : timed_loop<text>(recipe, first, count);
}

std::uint64_t expected_checksum(std::uint64_t tasks, std::uint64_t payload_bytes) {
    return payload_bytes == 0 ? expected_numbers(tasks) : expected_texts(tasks, payload_bytes);
}

}  // namespace million_tasks
