// Precompiled for the library and the larger programs with -Dpch=true (hence no include guard); each
// file still includes what it uses, which the lint build checks.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <coroutine>
#include <exception>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>
