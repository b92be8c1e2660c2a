// What moves the bytes of a tls_stream.
//
// Two tasks share a core. Each call of the engine is whole, so only the awaits below are guarded:
// `writing` keeps records in the order in which the engine made them, and `reading` one reader at
// the stream below. A writer that has to read takes `reading` while it holds `writing`; a reader
// never waits for `writing` while it holds `reading`.
#pragma once

#include "../../assert.hpp"
#include "../stream.hpp"

namespace weir {

template <byte_stream Lower>
task<result<void>> tls_stream<Lower>::core::shake_hands() {
    for (;;) {
        const std::uint64_t seen = engine.inputs();
        const result<tls_step> step = engine.handshake();
        if (step == tls_step::done && engine.output_can_wait()) {
            co_return result<void>();
        }
        // Also where it failed: the alert tells the peer why.
        const result<void> sent = co_await send_output();
        if (!step) {
            co_return std::unexpected(step.error());
        }
        if (!sent || *step == tls_step::done) {
            co_return sent;
        }
        const result<void> received = co_await receive(seen);
        if (!received) {
            co_return received;
        }
    }
}

// ref: the caller awaits at once.
template <byte_stream Lower>
task<result<std::size_t>> tls_stream<Lower>::core::read(std::span<std::byte> into) {
    for (;;) {
        const std::uint64_t seen = engine.inputs();
        const result<tls_transfer> step = engine.read(into);
        if (!step) {
            co_return std::unexpected(step.error());
        }
        if (step->step == tls_step::done) {
            co_return step->bytes;
        }
        if (engine.output_size() > deferred_max) {
            const result<void> sent = co_await send_deferred();
            if (!sent) {
                co_return std::unexpected(sent.error());
            }
        }
        const result<void> received = co_await receive(seen);
        if (!received) {
            co_return std::unexpected(received.error());
        }
    }
}

// ref: the caller awaits at once.
template <byte_stream Lower>
task<result<void>> tls_stream<Lower>::core::write(std::span<const std::byte> from) {
    const result<mutex::guard> turn = co_await detail::tls_lock(writing);
    if (!turn) {
        co_return std::unexpected(turn.error());
    }
    do {
        const std::uint64_t seen = engine.inputs();
        const result<tls_transfer> step = engine.write(from);
        const result<void> sent = co_await send_output();
        if (!step) {
            co_return std::unexpected(step.error());
        }
        if (!sent) {
            co_return sent;
        }
        from = from.subspan(step->bytes);
        if (step->step == tls_step::needs_input) {
            const result<void> received = co_await receive(seen);
            if (!received) {
                co_return received;
            }
        }
    } while (!from.empty());
    co_return result<void>();
}

template <byte_stream Lower>
task<result<void>> tls_stream<Lower>::core::finish() {
    const result<mutex::guard> turn = co_await detail::tls_lock(writing);
    if (!turn) {
        co_return std::unexpected(turn.error());
    }
    for (;;) {
        const std::uint64_t seen = engine.inputs();
        const result<tls_step> step = engine.finish();
        const result<void> sent = co_await send_output();
        if (!step) {
            co_return std::unexpected(step.error());
        }
        if (!sent || *step == tls_step::done) {
            co_return sent;
        }
        const result<void> received = co_await receive(seen);
        if (!received) {
            co_return received;
        }
    }
}

// Requires `writing`, or that nobody else knows the core.
template <byte_stream Lower>
task<result<void>> tls_stream<Lower>::core::send_output() {
    if (write_error) {
        co_return std::unexpected(write_error);
    }
    // More may be made while a part is on its way, by a reader.
    while (engine.output_size() != 0) {
        const bool stopping = co_await stop_requested();
        if (stopping) {
            // Nothing was handed over, so the next write may go on with it.
            co_return std::unexpected(detail::tls_canceled());
        }
        const std::vector<std::byte> output = engine.take_output();
        const std::span<const std::byte> bytes(output);
        const result<void> sent = co_await lower.write_all(bytes);
        if (!sent) {
            const bool stopped = sent.error() == std::errc::operation_canceled;
            write_error = stopped ? make_error_code(tls_errc::write_interrupted) : sent.error();
            co_return sent;
        }
    }
    co_return result<void>();
}

template <byte_stream Lower>
task<result<void>> tls_stream<Lower>::core::send_deferred() {
    const result<mutex::guard> turn = co_await detail::tls_lock(writing);
    if (!turn) {
        co_return std::unexpected(turn.error());
    }
    if (write_error) {
        // Nobody will ever get it, and what was sent before can still be read.
        static_cast<void>(engine.take_output());
        co_return result<void>();
    }
    co_return co_await send_output();
}

// Brings input beyond the `seen` inputs that the engine had when it asked for more.
template <byte_stream Lower>
task<result<void>> tls_stream<Lower>::core::receive(std::uint64_t seen) {
    const result<mutex::guard> turn = co_await detail::tls_lock(reading);
    if (!turn) {
        co_return std::unexpected(turn.error());
    }
    if (engine.inputs() != seen) {
        co_return result<void>();  // the other task has brought some meanwhile
    }
    const std::span<std::byte> space = engine.input_space();
    WEIR_ASSERT(!space.empty(), "an engine that needs input has used up what it had");
    const result<std::size_t> got = co_await lower.read_some(space);
    if (!got) {
        co_return std::unexpected(got.error());
    }
    if (*got == 0) {
        engine.end_input();
    } else {
        engine.add_input(*got);
    }
    co_return result<void>();
}

}  // namespace weir
