// directory: lists a directory batch by batch, so that the memory stays the same however many
// entries it holds.
//
//     weir::result<weir::directory> spool = co_await weir::directory::open("/tmp");
//     while (auto batch = co_await spool->next_batch()) {
//         if (batch->empty()) { break; }   // that was all
//         for (const weir::directory_entry& entry : *batch) { use(entry.name.size()); }
//     }
//
// Entries come in the file system's order, without "." and "..". What is added or removed meanwhile
// may or may not be seen; everything else is seen once. Names are bytes, without any encoding.
//
// Errors: those of open(2) and getdents64(2) (not_a_directory for a file);
// std::errc::operation_canceled when the task was stopped: the batch that was being read is lost.
// Lifetime: the directory outlives its awaits; a batch is valid until the next one is asked for.
// Thread: the loop's; one operation at a time. io_uring has no getdents64, so each batch is a call
// on the offload pool.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../result.hpp"
#include "../task.hpp"
#include "descriptor.hpp"
#include "status.hpp"

namespace weir {

struct directory_entry {
    std::string_view name;  // of the entry, without the directory's path
    file_kind kind = file_kind::unknown;
};

class directory {
  public:
    // Bytes of the buffer that a batch comes from; a name takes 24 and its length.
    static constexpr std::size_t batch_bytes = 32'768;

    [[nodiscard]] static task<result<directory>> open(std::string path);

    // The next entries, about 1,000 at most; none when all were seen.
    [[nodiscard]] task<result<std::span<const directory_entry>>> next_batch();

  private:
    using buffer = std::array<char, batch_bytes>;

    explicit directory(file_descriptor fd);
    void parse(std::size_t bytes);

    file_descriptor fd_;
    std::unique_ptr<buffer> buffer_;
    std::vector<directory_entry> entries_;
};

}  // namespace weir
