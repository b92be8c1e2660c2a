// What streams of bytes have in common: TCP, Unix sockets, TLS, pipes.
//
//     template <weir::byte_stream Stream>
//     weir::task<weir::result<void>> greet(Stream& peer) {
//         co_return co_await peer.write_all(std::as_bytes(std::span("hello", 5)));
//     }
//
// read_some gives at least one byte, or 0 at the end of the stream (or for an empty span).
// write_all takes all bytes or fails; when it has returned they may still be on their way, as they
// may be in a kernel's socket buffer, and an error that befalls them later is returned by the next
// call that writes. finish_writing sends what is left, then tells the peer that nothing more comes.
//
// A stream may be read by one task and written by another at a time; the spans live until the await
// has ended. Errors are std::error_code; one that was stopped gives operation_canceled, and no byte
// is lost by that: what had been received is returned, or kept for the next read.
//
// Thread: the loop's.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>

#include "../result.hpp"
#include "../task.hpp"

namespace weir {

namespace detail {

// What co_await on T gives, inside a task.
template <class T>
struct await_result;
template <class T>
struct await_result<task<T>> {
    using type = T;
};
template <class T>
    requires requires(T& awaiter) { awaiter.await_resume(); }
struct await_result<T> {
    using type = decltype(std::declval<T&>().await_resume());
};

}  // namespace detail

// An awaitable of this library whose await gives T.
template <class A, class T>
concept awaitable_of = std::same_as<typename detail::await_result<A>::type, T>;

template <class S>
concept byte_reader = requires(S& stream, std::span<std::byte> into) {
    { stream.read_some(into) } -> awaitable_of<result<std::size_t>>;
};

template <class S>
concept byte_writer = requires(S& stream, std::span<const std::byte> from) {
    { stream.write_all(from) } -> awaitable_of<result<void>>;
};

template <class S>
concept byte_stream = byte_reader<S> && byte_writer<S> && requires(S& stream) {
    { stream.finish_writing() } -> awaitable_of<result<void>>;
    { stream.close() } -> awaitable_of<result<void>>;
};

}  // namespace weir
