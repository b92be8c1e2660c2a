// The same for redisq/: its headers, what they include of others, and what the library needs to
// link.
#include <weir/redisq.hpp>

#include <cstdio>
#include <string>

namespace {

struct resize {
    std::string url;
    int width = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(resize, url, width)

const weir::redisq::job_type<resize, std::string> thumbnail{"thumbnail"};

std::string make_thumbnail(const resize& wanted) { return wanted.url; }

}  // namespace

int main() {
    std::string payload;
    thumbnail.encode(payload, "a.png", 128);
    // Brings the client, its connections and, where there is TLS, OpenSSL.
    weir::redisq::worker w("redis://localhost");
    w.serve("images").on(thumbnail, make_thumbnail);
    std::printf("%s\n", payload.c_str());
    return payload == R"({"url":"a.png","width":128})" ? 0 : 1;
}
