// What a task is given, what it makes of it, and how that is checked.
//
// Every result is reduced to a digest by reading it, and the digests are summed, so that neither a
// lost, repeated or damaged result nor a compiler that drops unused work goes unseen. The sum that
// is expected follows from the indices alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace million_tasks {

// Builds the strings of a run: payload "tasktask...task_<index>" whose first part has
// `payload_bytes` characters, result "result_" + 200 x 'x' + "_<index>_" + the payload's first 50.
class payload_recipe {
  public:
    explicit payload_recipe(std::uint64_t payload_bytes);

    [[nodiscard]] std::string payload(std::uint64_t index) const;
    [[nodiscard]] static std::string result(std::string_view payload, std::uint64_t index);

    [[nodiscard]] std::uint64_t payload_bytes() const { return prefix_.size() - 1; }

  private:
    std::string prefix_;  // with the '_' at its end
};

// Reads length, both ends and the index of a result; 0 for a text that no task makes.
[[nodiscard]] std::uint64_t digest(const std::string& result) noexcept;
[[nodiscard]] inline std::uint64_t digest(std::uint64_t result) noexcept {
    return result ^ result >> 32;
}

// The input of a task that is given a text. Neither this class nor `number` is an aggregate: g++ 12
// destroys an aggregate twice when it stands as a temporary beside a co_await.
class text {
  public:
    text(const payload_recipe& recipe, std::uint64_t index)
        : payload_(recipe.payload(index)), index_(index) {}

    [[nodiscard]] std::uint64_t index() const { return index_; }
    [[nodiscard]] std::string result() const { return payload_recipe::result(payload_, index_); }

  private:
    std::string payload_;
    std::uint64_t index_;
};

// The input of a task whose payload has 0 bytes: a number in, a number out.
class number {
  public:
    number(const payload_recipe& /*recipe*/, std::uint64_t index) : index_(index) {}

    [[nodiscard]] std::uint64_t index() const { return index_; }
    [[nodiscard]] std::uint64_t result() const { return (index_ + 1) * 0x9E3779B97F4A7C15U; }

  private:
    std::uint64_t index_;
};

// Nanoseconds that one task's input and result cost in a plain loop without any pool: made, read
// and freed at once. One short round; the median of several is what counts.
[[nodiscard]] double floor_round_ns(const payload_recipe& recipe, std::uint64_t tasks);

// The sum of the digests of tasks 0 .. tasks - 1.
[[nodiscard]] std::uint64_t expected_checksum(std::uint64_t tasks, std::uint64_t payload_bytes);

}  // namespace million_tasks
