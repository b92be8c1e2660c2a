#include "cpu_sampler.hpp"

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <string>

#include "../support/proc_file.hpp"

namespace echo {
namespace {

// Not a round number: it must not go along with anything periodic.
constexpr std::uint64_t period_ns = 249'989;
constexpr std::size_t page_bytes = 4'096;
// Eight bytes a sample: half a minute of CPU.
constexpr std::size_t data_bytes = 256 * page_bytes;

}  // namespace

cpu_sampler::cpu_sampler(pid_t of) {
    perf_event_attr what{};
    what.type = PERF_TYPE_SOFTWARE;
    what.size = sizeof what;
    what.config = PERF_COUNT_SW_CPU_CLOCK;
    what.sample_period = period_ns;
    what.disabled = 1;
    // A sample is only its header, which tells the mode.
    what.sample_type = 0;
    fd_ = static_cast<int>(syscall(SYS_perf_event_open, &what, of, -1, -1, PERF_FLAG_FD_CLOEXEC));
    if (fd_ < 0) {
        return;
    }
    void* const memory =
        mmap(nullptr, page_bytes + data_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
    if (memory != MAP_FAILED) {
        memory_ = static_cast<std::byte*>(memory);
    }
}

cpu_sampler::~cpu_sampler() {
    if (memory_ != nullptr) {
        munmap(memory_, page_bytes + data_bytes);
    }
    if (fd_ >= 0) {
        ::close(fd_);
    }
}

void cpu_sampler::start() {
    if (fd_ >= 0) {
        ioctl(fd_, PERF_EVENT_IOC_ENABLE, 0);
    }
}

void cpu_sampler::stop() {
    if (fd_ >= 0) {
        ioctl(fd_, PERF_EVENT_IOC_DISABLE, 0);
    }
}

std::optional<double> cpu_sampler::user_share() {
    if (memory_ == nullptr) {
        return std::nullopt;
    }
    auto* const page = reinterpret_cast<perf_event_mmap_page*>(memory_);
    // The kernel writes data_head after the samples.
    const std::uint64_t head = std::atomic_ref(page->data_head).load(std::memory_order_acquire);
    std::uint64_t user = 0;
    std::uint64_t all = 0;
    std::uint64_t at = page->data_tail;
    while (at < head) {
        // A header is eight bytes, and no record lies across the end.
        perf_event_header record{};
        std::memcpy(&record, memory_ + page_bytes + at % data_bytes, sizeof record);
        if (record.type == PERF_RECORD_SAMPLE) {
            ++all;
            user += (record.misc & PERF_RECORD_MISC_CPUMODE_MASK) == PERF_RECORD_MISC_USER ? 1 : 0;
        }
        at += record.size;
    }
    page->data_tail = at;
    return all == 0 ? std::nullopt
                    : std::optional(static_cast<double>(user) / static_cast<double>(all));
}

cpu_ticks read_cpu_ticks(pid_t of) {
    const bench::proc_file stat(("/proc/" + std::to_string(of) + "/stat").c_str());
    // The name may hold anything; what follows its last parenthesis are numbers.
    std::string_view rest = stat.text();
    rest = rest.substr(std::min(rest.rfind(')') + 1, rest.size()));
    constexpr int user_field = 12;  // utime, counted from the state behind the name
    for (int field = 0; field < user_field; ++field) {
        rest = rest.substr(std::min(rest.find(' ') + 1, rest.size()));
    }
    cpu_ticks out;
    out.user = bench::number_at(rest);
    out.system = bench::number_at(rest.substr(std::min(rest.find(' ') + 1, rest.size())));
    return out;
}

}  // namespace echo
