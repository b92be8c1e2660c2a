// The servers that can be measured, in the order in which they are shown.
#pragma once

#include <span>
#include <string_view>

namespace echo {

struct server {
    std::string_view name;
    std::string_view program;  // beside this one
    std::string_view about;
    std::string_view missing;  // what the build lacked for it; empty where it was built
};

[[nodiscard]] std::span<const server> catalog();

}  // namespace echo
