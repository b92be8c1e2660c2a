// Copies a file and shows how far it is.
//
//     example_file_copy SRC DST
//
// Without arguments it copies a file that it makes itself. The copy runs inside the kernel where
// that can do it; a stop (Ctrl-C) ends it at the next piece, and the half copy is removed.
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <weir/runtime.hpp>

namespace {

constexpr std::uint64_t piece = std::uint64_t{64} << 20;

int fail(const std::string& path, const std::error_code& error) {
    std::fprintf(stderr, "file_copy: %s: %s\n", path.c_str(), error.message().c_str());
    return 1;
}

void show(std::uint64_t done, std::uint64_t size) {
    const double share = size == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(size);
    std::printf("%12llu of %llu bytes, %3.0f %%\n", static_cast<unsigned long long>(done),
                static_cast<unsigned long long>(size), 100 * share);
}

// Both files outlive the task.
weir::task<weir::result<void>> copy_in_pieces(const weir::file* from, const weir::file* to,
                                              std::uint64_t size) {
    std::uint64_t done = 0;
    while (true) {
        const weir::result<std::uint64_t> count =
            co_await weir::copy_range(*from, done, *to, done, piece);
        if (!count) {
            co_return std::unexpected(count.error());
        }
        done += *count;
        show(done, size);
        if (*count < piece) {
            co_return weir::result<void>();
        }
    }
}

weir::task<int> copy(std::string source, std::string target) {
    const weir::result<weir::file> from = co_await weir::file::open(source);
    if (!from) {
        co_return fail(source, from.error());
    }
    const weir::result<weir::file_status> found = co_await from->status();
    if (!found) {
        co_return fail(source, found.error());
    }
    const weir::open_mode mode =
        weir::open_mode::write | weir::open_mode::create | weir::open_mode::exclusive;
    weir::result<weir::file> to = co_await weir::file::open(target, mode, found->permissions);
    if (!to) {
        co_return fail(target, to.error());
    }
    const weir::result<void> copied = co_await copy_in_pieces(&*from, &*to, found->size);
    const weir::result<void> closed = co_await to->close();
    if (!copied || !closed) {
        std::filesystem::remove(target);  // also when this task is stopped
        co_return fail(target, copied ? closed.error() : copied.error());
    }
    co_return 0;
}

int copy_with_signals(const std::string& source, const std::string& target) {
    weir::run_options options;
    options.stop_signals = {SIGINT, SIGTERM};
    return weir::run(copy(source, target), options);
}

// Copies a file of its own, and a second time over it, which is refused.
int show_it() {
    std::string folder = std::filesystem::temp_directory_path() / "weir_file_copy_XXXXXX";
    if (::mkdtemp(folder.data()) == nullptr) {
        return 1;
    }
    const std::string source = folder + "/source";
    const std::string target = folder + "/target";
    const std::string bytes(1'000'000, 'w');
    const bool made = weir::run(weir::write_file(source, bytes)).has_value();
    const int first = made ? copy_with_signals(source, target) : 1;
    const bool same = weir::run(weir::read_all(target, bytes.size())) == bytes;
    const int second = copy_with_signals(source, target);
    std::filesystem::remove_all(folder);
    return first == 0 && same && second == 1 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 1) {
        return show_it();
    }
    if (argc == 2 && std::string_view(argv[1]) == "--help") {
        std::printf("usage: %s [SRC DST]\n\nWithout files it copies one of its own.\n", argv[0]);
        return 0;
    }
    if (argc != 3) {
        std::fprintf(stderr, "file_copy: %d arguments; allowed: SRC DST, or none\n", argc - 1);
        return 2;
    }
    return copy_with_signals(argv[1], argv[2]);
}
