// Reading at random: `depth` tasks on weir that each await one read after the other, and a plain
// loop on liburing that keeps `depth` reads under way. Both read the same blocks as often.
#include <fcntl.h>
#include <liburing.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <functional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>
#include <weir/runtime/file/file.hpp>
#include <weir/runtime/run.hpp>
#include <weir/runtime/scope.hpp>

#include "measure.hpp"

namespace files {
namespace {

using block = std::vector<std::byte>;

void check(bool right, std::uint64_t index) {
    if (!right) {
        throw std::runtime_error("block " + std::to_string(index) + " was read wrongly");
    }
}

// How many of `reads` the reader of this number does.
std::uint64_t share_of(std::uint64_t reader, const options& asked) {
    return asked.reads / asked.depth + (reader < asked.reads % asked.depth ? 1 : 0);
}

// ref: read_all, which waits for this, owns the file.
weir::task<> read_one_by_one(const weir::file& from, block_order order, std::uint64_t reads) {
    block into(block_bytes);
    for (std::uint64_t read = 0; read < reads; ++read) {
        const std::uint64_t index = order.next();
        const weir::result<std::size_t> count = co_await from.read_at(into, index * block_bytes);
        check(count && *count == block_bytes && is_block(into, index), index);
    }
}

weir::task<figures> read_all(std::string path, std::uint64_t blocks, options asked) {
    weir::result<weir::file> opened = co_await weir::file::open(path);
    if (!opened) {
        throw std::system_error(opened.error(), path);
    }
    const weir::file from = std::move(*opened);
    const stopwatch watch;
    weir::scope readers;
    for (std::uint64_t reader = 0; reader < asked.depth; ++reader) {
        readers.spawn(read_one_by_one(from, block_order(reader, blocks), share_of(reader, asked)));
    }
    co_await readers.join();
    co_return watch.stop();
}

class plain_loop {
  public:
    plain_loop(const sample_file& from, const options& asked)
        : fd_(open(from.path().c_str(), O_RDONLY | O_CLOEXEC)), left_(asked.reads) {
        if (fd_ < 0) {
            throw std::system_error(errno, std::generic_category(), from.path());
        }
        const int error =
            io_uring_queue_init(static_cast<unsigned>(asked.depth), &ring_,
                                IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
        if (error != 0) {
            close(fd_);
            throw std::system_error(-error, std::generic_category(), "io_uring_queue_init");
        }
        io_uring_register_ring_fd(&ring_);
        for (std::uint64_t reader = 0; reader < asked.depth; ++reader) {
            slots_.push_back({.order = block_order(reader, from.blocks()),
                              .into = block(block_bytes),
                              .index = 0,
                              .left = share_of(reader, asked)});
        }
    }
    plain_loop(const plain_loop&) = delete;
    plain_loop& operator=(const plain_loop&) = delete;
    ~plain_loop() {
        io_uring_queue_exit(&ring_);
        close(fd_);
    }

    void run() {
        for (slot& each : slots_) {
            start(each);
        }
        while (left_ != 0) {
            io_uring_submit_and_wait(&ring_, 1);
            unsigned head = 0;
            unsigned reaped = 0;
            io_uring_cqe* cqe = nullptr;
            io_uring_for_each_cqe(&ring_, head, cqe) {
                ++reaped;
                finish(*static_cast<slot*>(io_uring_cqe_get_data(cqe)), cqe->res);
            }
            io_uring_cq_advance(&ring_, reaped);
        }
    }

  private:
    struct slot {
        block_order order;
        block into;
        std::uint64_t index;
        std::uint64_t left;
    };

    void start(slot& reader) {
        if (reader.left == 0) {
            return;
        }
        --reader.left;
        reader.index = reader.order.next();
        io_uring_sqe* const sqe = io_uring_get_sqe(&ring_);
        io_uring_prep_read(sqe, fd_, reader.into.data(), block_bytes, reader.index * block_bytes);
        io_uring_sqe_set_data(sqe, &reader);
    }

    void finish(slot& reader, int count) {
        check(count == static_cast<int>(block_bytes) && is_block(reader.into, reader.index),
              reader.index);
        --left_;
        start(reader);
    }

    int fd_;
    std::uint64_t left_;
    io_uring ring_{};
    std::vector<slot> slots_;
};

}  // namespace

figures read_by_weir(const sample_file& from, const options& asked) {
    return weir::run(read_all(from.path(), from.blocks(), asked));
}

figures read_by_liburing(const sample_file& from, const options& asked) {
    plain_loop loop(from, asked);
    const stopwatch watch;
    loop.run();
    return watch.stop();
}

}  // namespace files
