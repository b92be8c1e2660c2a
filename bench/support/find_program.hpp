// Programs of the system, which are looked for before they are started.
#pragma once

#include <string>

namespace bench {

// The path of a program in PATH; empty where there is none.
[[nodiscard]] std::string find_program(const std::string& name);

}  // namespace bench
