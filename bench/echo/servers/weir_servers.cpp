// Echo on weir, the two ways of reading: into a span of the connection's own, and in buffers that
// the loop's connections share.
#include <poll.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include <weir/runtime/detail/io_awaiter.hpp>
#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/net/tcp.hpp>
#include <weir/runtime/scope.hpp>

#include "server.hpp"

namespace echo {
namespace {

// The loop tells how often it entered the kernel; asking is too dear to be done at each message.
class enter_count {
  public:
    enter_count(server_job& job, const weir::event_loop& loop) noexcept : job_(job), loop_(loop) {}

    void message() noexcept {
        constexpr unsigned between = 64;
        if (++messages_ % between == 0) {
            const std::uint64_t enters = loop_.counters().enters;
            job_.count_syscalls(enters - std::exchange(counted_, enters));
        }
    }

  private:
    server_job& job_;
    const weir::event_loop& loop_;
    unsigned messages_ = 0;
    std::uint64_t counted_ = 0;
};

weir::task<> echo_spans(weir::tcp_stream peer, std::size_t size, enter_count* calls) {
    const auto memory = std::make_unique_for_overwrite<std::byte[]>(size);
    const std::span<std::byte> bytes(memory.get(), size);
    while (true) {
        const auto count = co_await peer.read_some(bytes);
        if (!count || *count == 0) {
            co_return;
        }
        calls->message();
        const auto sent = co_await peer.write_all(bytes.first(*count));
        if (!sent) {
            co_return;
        }
    }
}

weir::task<> echo_buffers(weir::tcp_stream peer, std::size_t /*size*/, enter_count* calls) {
    while (true) {
        const auto part = co_await peer.receive();
        if (!part || !*part) {
            co_return;
        }
        calls->message();
        const auto sent = co_await peer.write_all(part->bytes());
        if (!sent) {
            co_return;
        }
    }
}

using connection = weir::task<> (*)(weir::tcp_stream, std::size_t, enter_count*);

weir::task<> accept_all(weir::tcp_listener* listener, weir::scope* connections, connection serve,
                        std::size_t size, enter_count* calls) {
    while (true) {
        auto peer = co_await listener->accept();
        if (!peer) {
            co_return;
        }
        connections->spawn(serve(std::move(*peer), size, calls));
    }
}

class [[nodiscard]] readable : public weir::detail::io_awaiter {
  public:
    explicit readable(int fd) noexcept {
        request.opcode = weir::io_opcode::poll;
        request.fd = fd;
        request.operation_flags = POLLIN;
    }
    void await_resume() const noexcept {}
};

weir::task<> serve_until_told(server_job* job, weir::event_loop* loop, connection serve) {
    enter_count calls(*job, *loop);
    weir::tcp_listener listener(weir::file_descriptor(job->listen(0)));
    weir::scope connections;
    connections.spawn(accept_all(&listener, &connections, serve, job->buffer_bytes(), &calls));
    job->ready();
    co_await readable(job->stop_fd());
    connections.request_stop();
    co_await connections.join();
}

void serve_with(server_job& job, connection serve) {
    weir::event_loop_options options;
    // As much for 1,000 connections that all send at once as the others have.
    options.receive_buffers = 1024;
    options.ring_entries = 4096;
    weir::event_loop loop(options);
    loop.run(serve_until_told(&job, &loop, serve));
}

}  // namespace

void serve_weir_span(server_job& job) { serve_with(job, echo_spans); }
void serve_weir_buffers(server_job& job) { serve_with(job, echo_buffers); }

}  // namespace echo
