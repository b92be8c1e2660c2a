// What the server holds before the clients are measured: the values that shape.hpp names.
#pragma once

#include <string>

namespace resp {

// Throws bench::bench_error.
void fill(const std::string& socket_path);

}  // namespace resp
