// soak SECONDS: connects, resets and cancels without end, and looks whether anything grows.
//
// An echo server and its clients run in one loop, in rounds. After each round, when every
// connection has gone, the open descriptors have to be as many as after the first round, and the
// resident memory at most `growth_max` more. Exit status: 0 nothing has grown, 1 it has, or a
// client met what it did not expect, 2 bad argument.
#include <dirent.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <weir/runtime.hpp>

#include "clients.hpp"

namespace soak {
namespace {

using namespace std::chrono_literals;

constexpr int rounds = 20;
constexpr std::uint32_t clients = 64;  // at a time
constexpr std::uint64_t seconds_max = 86'400;
#ifdef WEIR_ASAN
constexpr std::size_t growth_max = std::size_t{64} << 20;  // with what it keeps of freed memory
#else
constexpr std::size_t growth_max = std::size_t{4} << 20;
#endif

struct state {
    weir::socket_address server;
    std::uint64_t connections = 0;
    std::uint64_t serving = 0;
    weir::time_point round_end;
};

std::size_t open_descriptors() {
    DIR* const folder = opendir("/proc/self/fd");
    if (folder == nullptr) {
        throw std::system_error(errno, std::generic_category(), "/proc/self/fd");
    }
    std::size_t count = 0;
    while (readdir(folder) != nullptr) {
        ++count;
    }
    closedir(folder);
    return count - 3;  // ".", "..", and the folder itself
}

std::size_t resident_bytes() {
    std::FILE* const statm = std::fopen("/proc/self/statm", "r");
    std::size_t all = 0;
    std::size_t resident = 0;
    if (statm == nullptr || std::fscanf(statm, "%zu %zu", &all, &resident) != 2) {
        throw std::runtime_error("/proc/self/statm cannot be read");
    }
    std::fclose(statm);
    return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

class serving_mark {
  public:
    explicit serving_mark(state& of) : of_(of) { ++of_.serving; }
    serving_mark(const serving_mark&) = delete;
    serving_mark& operator=(const serving_mark&) = delete;
    ~serving_mark() { --of_.serving; }

  private:
    state& of_;
};

weir::task<> echo(weir::tcp_stream peer, state* all) {
    const serving_mark mark(*all);
    std::array<std::byte, 4'096> bytes;
    while (true) {
        const weir::result<std::size_t> count = co_await peer.read_some(bytes);
        if (!count || *count == 0) {
            co_return;
        }
        const weir::result<void> written = co_await peer.write_all(std::span(bytes).first(*count));
        if (!written) {
            co_return;
        }
    }
}

// ref: both live in the task that waits for this.
weir::task<> accept_all(weir::scope& connections, weir::tcp_listener& listener, state* all) {
    while (true) {
        weir::result<weir::tcp_stream> peer = co_await listener.accept();
        if (!peer && peer.error() == std::errc::operation_canceled) {
            co_return;
        }
        if (!peer) {
            throw std::system_error(peer.error(), "accept");
        }
        connections.spawn(echo(std::move(*peer), all));
    }
}

// One connection after the other until the round is over.
weir::task<> make_connections(state* all, std::uint32_t seed) {
    std::uint32_t chance = seed;
    while (weir::scheduler::current()->tick_time() < all->round_end) {
        chance = chance * 1'664'525U + 1'013'904'223U;
        const client_kind& kind = client_kinds[(chance >> 16) % client_kinds.size()];
        const weir::result<void> done = co_await kind.run(all->server, chance >> 8);
        if (!done && done.error() == std::errc::address_not_available) {
            co_await weir::sleep_for(10ms);  // the ports of closed connections come back
        } else if (!done) {
            throw std::system_error(done.error(), kind.name);
        }
        ++all->connections;
    }
}

weir::task<> run_round(state* all, weir::duration length) {
    all->round_end = weir::scheduler::current()->now() + length;
    weir::scope workers;
    for (std::uint32_t worker = 0; worker < clients; ++worker) {
        workers.spawn(make_connections(all, worker + static_cast<std::uint32_t>(all->connections)));
    }
    co_await workers.join();
    while (all->serving != 0) {
        co_await weir::sleep_for(1ms);
    }
    co_await weir::sleep_for(20ms);  // what was closed ends in the kernel
}

// ref: all of it lives in the task that waits for this.
weir::task<bool> run_rounds(weir::scope& connections, weir::tcp_listener& listener, state* all,
                            std::uint64_t seconds) {
    connections.spawn(accept_all(connections, listener, all));
    const weir::duration length = weir::duration(std::chrono::seconds(seconds)) / rounds;
    std::size_t descriptors = 0;
    std::size_t resident = 0;
    bool grown = false;
    std::printf("round  connections  descriptors  resident KiB\n");
    for (int round = 1; round <= rounds && !grown; ++round) {
        co_await run_round(all, length);
        const std::size_t open = open_descriptors();
        const std::size_t bytes = resident_bytes();
        if (round == 1) {
            descriptors = open;
        }
        if (round <= rounds / 10) {
            resident = bytes;
        }
        grown = open > descriptors || bytes > resident + growth_max;
        std::printf("%5d %12llu %12zu %13zu\n", round,
                    static_cast<unsigned long long>(all->connections), open, bytes / 1024);
        std::fflush(stdout);
    }
    listener.close();
    co_return !grown;
}

weir::task<bool> run(std::uint64_t seconds) {
    auto listening = weir::tcp_listener::listen(weir::socket_address::loopback_ipv4(0));
    if (!listening) {
        throw std::system_error(listening.error(), "listen");
    }
    state all;
    all.server = listening->local_address().value();
    const bool flat = co_await weir::with_scope(run_rounds, std::ref(*listening), &all, seconds);
    co_return flat;
}

}  // namespace
}  // namespace soak

int main(int argc, char** argv) {
    const char* const text = argc == 2 ? argv[1] : "";
    const char* const end = text + std::strlen(text);
    std::uint64_t seconds = 0;
    const auto parsed = std::from_chars(text, end, seconds);
    if (parsed.ptr != end || parsed.ec != std::errc() || seconds < 1 ||
        seconds > soak::seconds_max) {
        std::fprintf(stderr, "soak: SECONDS is '%s'; allowed: 1..86400\n", text);
        return 2;
    }
    try {
        const bool flat = weir::run(soak::run(seconds));
        std::printf(flat ? "nothing has grown\n" : "SOMETHING HAS GROWN\n");
        return flat ? 0 : 1;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "soak: %s\n", error.what());
        return 1;
    }
}
