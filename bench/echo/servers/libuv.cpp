// Echo on libuv: one buffer for all reads, since a read is answered before the next one; what the
// socket does not take at once is copied and queued, and reading stops until it is gone.
#include <uv.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "server.hpp"

namespace echo {
namespace {

void require(int result, const char* what) {
    if (result < 0) {
        throw std::runtime_error(std::string(what) + ": " + uv_strerror(result));
    }
}

struct uv_server {
    uv_loop_t loop{};
    uv_tcp_t listener{};
    uv_poll_t stop{};
    std::vector<char> buffer;
};

struct uv_session {
    uv_tcp_t socket{};
    uv_server* server = nullptr;
    uv_write_t write{};
    std::vector<char> rest;
};

extern "C" {

static void on_closed(uv_handle_t* handle) { delete static_cast<uv_session*>(handle->data); }

static void on_buffer(uv_handle_t* handle, size_t /*suggested*/, uv_buf_t* buffer) {
    std::vector<char>& shared = static_cast<uv_session*>(handle->data)->server->buffer;
    *buffer = uv_buf_init(shared.data(), static_cast<unsigned>(shared.size()));
}

static void on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer);

static void on_written(uv_write_t* write, int status) {
    auto* const session = static_cast<uv_session*>(write->data);
    if (status == 0) {
        uv_read_start(reinterpret_cast<uv_stream_t*>(&session->socket), on_buffer, on_read);
    } else if (status != UV_ECANCELED) {
        uv_close(reinterpret_cast<uv_handle_t*>(&session->socket), on_closed);
    }
}

static void on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
    auto* const session = static_cast<uv_session*>(stream->data);
    if (count == 0) {
        return;
    }
    if (count < 0) {
        uv_close(reinterpret_cast<uv_handle_t*>(stream), on_closed);
        return;
    }
    uv_buf_t answer = uv_buf_init(buffer->base, static_cast<unsigned>(count));
    const int sent = uv_try_write(stream, &answer, 1);
    if (sent == count) {
        return;
    }
    if (sent < 0 && sent != UV_EAGAIN) {
        uv_close(reinterpret_cast<uv_handle_t*>(stream), on_closed);
        return;
    }
    uv_read_stop(stream);
    session->rest.assign(buffer->base + (sent > 0 ? sent : 0), buffer->base + count);
    uv_buf_t rest = uv_buf_init(session->rest.data(), static_cast<unsigned>(session->rest.size()));
    session->write.data = session;
    if (uv_write(&session->write, stream, &rest, 1, on_written) < 0) {
        uv_close(reinterpret_cast<uv_handle_t*>(stream), on_closed);
    }
}

static void on_connection(uv_stream_t* listener, int status) {
    if (status < 0) {
        return;
    }
    auto* const session = new uv_session;
    session->server = static_cast<uv_server*>(listener->data);
    uv_tcp_init(listener->loop, &session->socket);
    session->socket.data = session;
    if (uv_accept(listener, reinterpret_cast<uv_stream_t*>(&session->socket)) < 0 ||
        uv_read_start(reinterpret_cast<uv_stream_t*>(&session->socket), on_buffer, on_read) < 0) {
        uv_close(reinterpret_cast<uv_handle_t*>(&session->socket), on_closed);
    }
}

static void on_stop(uv_poll_t* poll, int /*status*/, int /*events*/) { uv_stop(poll->loop); }

static void close_each(uv_handle_t* handle, void* server) {
    const bool session = handle->data != nullptr && handle->data != server;
    if (uv_is_closing(handle) == 0) {
        uv_close(handle, session ? on_closed : nullptr);
    }
}

}  // extern "C"

}  // namespace

void serve_libuv(server_job& job) {
    uv_server server;
    server.buffer.resize(job.buffer_bytes());
    require(uv_loop_init(&server.loop), "uv_loop_init");
    require(uv_tcp_init(&server.loop, &server.listener), "uv_tcp_init");
    server.listener.data = &server;
    // libuv closes what it opens.
    require(uv_tcp_open(&server.listener, ::dup(job.listen(SOCK_NONBLOCK))), "uv_tcp_open");
    require(uv_listen(reinterpret_cast<uv_stream_t*>(&server.listener), backlog, on_connection),
            "uv_listen");
    require(uv_poll_init(&server.loop, &server.stop, job.stop_fd()), "uv_poll_init");
    server.stop.data = &server;
    require(uv_poll_start(&server.stop, UV_READABLE, on_stop), "uv_poll_start");
    job.ready();
    uv_run(&server.loop, UV_RUN_DEFAULT);
    uv_walk(&server.loop, close_each, &server);
    uv_run(&server.loop, UV_RUN_DEFAULT);
    uv_loop_close(&server.loop);
}

}  // namespace echo
