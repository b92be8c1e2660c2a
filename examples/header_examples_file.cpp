// The examples in the comments of runtime/file/*.hpp, word for word, with what they need around
// them; the test "header examples" compares.
// clang-format off: the lines stand as in the comments.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string>
#include <weir/runtime.hpp>

namespace {

std::size_t used = 0;
void use(std::size_t value) { used += value; }
void report(const std::string& text) { std::puts(text.c_str()); }

void descriptor_example() {
    const weir::file_descriptor null_device(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null_device) { report("no /dev/null"); }
}

weir::task<> file_example() {
    const weir::open_mode mode = weir::open_mode::write | weir::open_mode::create;
    weir::result<weir::file> log = co_await weir::file::open("log", mode);
    if (!log) { report("log: " + log.error().message()); }
}

weir::task<> errors_example() {
    const weir::result<weir::file> opened = co_await weir::file::open("log");
    const weir::file& log = opened.value();
    std::array<std::byte, 8> header{};
    weir::result<void> got = co_await log.read_exactly_at(header, 0);
    if (!got && got.error() == weir::file_errc::end_of_file) { report("the log is empty"); }
}

weir::task<> status_example() {
    const weir::result<weir::file_status> found = co_await weir::path_status("/etc/hosts");
    if (found && found->kind == weir::file_kind::regular) { use(found->size); }
}

weir::task<> contents_example() {
    weir::result<std::string> text = co_await weir::read_all("/etc/hosts", 1 << 20);
    weir::result<void> kept = co_await weir::write_file("copy-of-hosts", text.value_or(""));
    use(kept ? 1 : 0);
}

weir::task<> cursor_example() {
    const weir::result<weir::file> opened = co_await weir::file::open("copy-of-hosts");
    weir::file_cursor from(*opened);
    weir::line_reader lines(from, 4096);   // or anything else that calls read_some
    use((co_await lines.next()) ? 1 : 0);
}

weir::task<> path_example() {
    weir::result<void> made = co_await weir::make_directory("spool");
    weir::result<void> moved = co_await weir::rename_path("spool", "queue");
    weir::result<void> gone = co_await weir::remove_path("queue");
    use(made && moved && gone ? 1 : 0);
}

weir::task<> directory_example() {
    weir::result<weir::directory> spool = co_await weir::directory::open("/tmp");
    while (auto batch = co_await spool->next_batch()) {
        if (batch->empty()) { break; }   // that was all
        for (const weir::directory_entry& entry : *batch) { use(entry.name.size()); }
    }
}

weir::task<> copy_example() {
    const weir::result<weir::file> from = co_await weir::file::open("copy-of-hosts");
    const weir::open_mode mode = weir::open_mode::write | weir::open_mode::create;
    const weir::result<weir::file> to = co_await weir::file::open("copy-of-copy", mode);
    const std::uint64_t piece = 1 << 20;
    weir::result<std::uint64_t> copied = co_await weir::copy_range(*from, 0, *to, 0, piece);
    if (copied && *copied < piece) { report("that was the whole file"); }
}

weir::task<> pipe_example() {
    std::array<std::byte, 100> memory{};
    weir::result<weir::pipe_ends> ends = weir::make_pipe();
    const std::string text = "through a pipe";
    co_await ends->writer.write_all(std::as_bytes(std::span(text)));
    const weir::result<std::size_t> count = co_await ends->reader.read_some(memory);
    use(count.value_or(0));
}

weir::task<> line_reader_example() {
    weir::result<weir::pipe_reader> input = weir::standard_input();
    if (!input) { co_return; }
    weir::line_reader lines(*input, 65'536);   // a line of more bytes is an error
    while (auto line = co_await lines.next()) {
        if (!*line) { break; }   // the end
        use((*line)->size());
    }
}

weir::task<> all() {
    co_await file_example();
    co_await errors_example();
    co_await status_example();
    co_await contents_example();
    co_await cursor_example();
    co_await path_example();
    co_await directory_example();
    co_await copy_example();
    co_await pipe_example();
    co_await line_reader_example();
}

}  // namespace

int main() {
    // Everything is made in a folder that is removed; standard input is empty.
    std::string folder = std::filesystem::temp_directory_path() / "weir_examples_XXXXXX";
    if (::mkdtemp(folder.data()) == nullptr || std::freopen("/dev/null", "r", stdin) == nullptr) {
        return 1;
    }
    std::filesystem::current_path(folder);
    descriptor_example();
    weir::run(all());
    std::filesystem::current_path("/");
    std::filesystem::remove_all(folder);
    return used != 0 ? 0 : 1;
}
