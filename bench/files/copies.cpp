// Copying: copy_range as a program on weir would call it, and cp as a shell would start it.
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <string>
#include <system_error>
#include <weir/runtime/file/copy.hpp>
#include <weir/runtime/file/file.hpp>
#include <weir/runtime/run.hpp>

#include "measure.hpp"

namespace files {
namespace {

double cpu_seconds(int who) {
    rusage usage{};
    getrusage(who, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

template <class T>
T value_of(weir::result<T> result, const std::string& what) {
    if (!result) {
        throw std::system_error(result.error(), what);
    }
    return std::move(*result);
}

weir::task<figures> timed_copy(std::string from, std::string to) {
    const stopwatch watch;
    weir::result<weir::file> opened = co_await weir::file::open(from);
    const weir::file source = value_of(std::move(opened), from);
    const weir::open_mode mode =
        weir::open_mode::write | weir::open_mode::create | weir::open_mode::exclusive;
    opened = co_await weir::file::open(to, mode);
    weir::file copy = value_of(std::move(opened), to);
    const weir::result<std::uint64_t> copied =
        co_await weir::copy_range(source, 0, copy, 0, UINT64_MAX);
    value_of(copied, to);
    const weir::result<void> closed = co_await copy.close();
    if (!closed) {
        throw std::system_error(closed.error(), to);
    }
    co_return watch.stop();
}

}  // namespace

stopwatch::stopwatch() : begin_(std::chrono::steady_clock::now()), cpu_(cpu_seconds(RUSAGE_SELF)) {}

figures stopwatch::stop() const {
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin_;
    return {.wall_s = wall.count(), .cpu_s = cpu_seconds(RUSAGE_SELF) - cpu_};
}

figures copy_by_weir(const sample_file& from, const std::string& to) {
    return weir::run(timed_copy(from.path(), to));
}

figures copy_by_cp(const sample_file& from, const std::string& to) {
    std::string program = "cp";
    std::string source = from.path();
    std::string target = to;
    const std::array<char*, 4> arguments{program.data(), source.data(), target.data(), nullptr};
    const double cpu = cpu_seconds(RUSAGE_CHILDREN);
    const stopwatch watch;
    pid_t child = 0;
    const int error = posix_spawnp(&child, "cp", nullptr, nullptr, arguments.data(), environ);
    if (error != 0) {
        throw std::system_error(error, std::generic_category(), "starting cp");
    }
    int status = 0;
    if (waitpid(child, &status, 0) != child || status != 0) {
        throw std::runtime_error("cp failed with status " + std::to_string(status));
    }
    figures out = watch.stop();
    out.cpu_s = cpu_seconds(RUSAGE_CHILDREN) - cpu;
    return out;
}

}  // namespace files
