// Any text as the URL of a server: what is said about it is printable, and never tells a password.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <weir/redisq/url.hpp>

namespace {

using weir::redisq::server_url;

// What the library says about the server, or about what is wrong with it.
std::string said_about(const std::string& text) {
    const auto server = server_url::parse(text);
    const std::string said = server ? server->to_string() : server.error().message();
    const bool printable = std::ranges::all_of(said, [](char c) { return c >= ' ' && c <= '~'; });
    if (said.empty() || !printable) {
        std::abort();
    }
    return said;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static constexpr std::string_view secret = "S3cr3t-0f-0urs";
    const std::string text(reinterpret_cast<const char*>(data), size);
    static_cast<void>(said_about(text));
    if (text.find(secret) != std::string::npos) {
        return 0;
    }
    for (const char* const before : {"redis://user:", "rediss://:", "unix://u:", "redis://"}) {
        const std::string said = said_about(before + std::string(secret) + "@" + text);
        if (said.find(secret) != std::string::npos) {
            std::abort();
        }
    }
    return 0;
}
