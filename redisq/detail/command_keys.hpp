// Where the keys of a command stand, and so which slot it belongs to: a cluster's client has to
// know before it sends.
//
// Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "../errors.hpp"

namespace weir::redisq::detail {

// Takes the first command off `encoded`, which are whole commands as resp::command_buffer writes
// them, and gives its words and its bytes. False at the end.
bool take_command(std::string_view& encoded, std::vector<std::string_view>& words,
                  std::string_view& bytes);

// The slot of all keys; none for a command without keys, or one whose words are not as they should
// be: the server says what is wrong with it. A command that is not known has its key where most
// have it, behind its name. errc::cross_slot for keys of several slots.
[[nodiscard]] result<std::optional<std::uint16_t>> slot_of_command(
    std::span<const std::string_view> words);

}  // namespace weir::redisq::detail
