#include <sched.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <system_error>

#include "detail/native_thread.hpp"

namespace weir::detail {
namespace {

// A set of processors of any size.
class cpu_set {
  public:
    explicit cpu_set(std::size_t cpus) : bits_(CPU_ALLOC(cpus)), size_(CPU_ALLOC_SIZE(cpus)) {
        if (bits_ == nullptr) {
            throw std::bad_alloc();
        }
        CPU_ZERO_S(size_, bits_);
    }
    cpu_set(const cpu_set&) = delete;
    cpu_set& operator=(const cpu_set&) = delete;
    ~cpu_set() { CPU_FREE(bits_); }

    void add(std::size_t cpu) noexcept { CPU_SET_S(cpu, size_, bits_); }
    [[nodiscard]] bool holds(std::size_t cpu) const noexcept {
        return CPU_ISSET_S(cpu, size_, bits_);
    }
    [[nodiscard]] cpu_set_t* get() const noexcept { return bits_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return size_; }

  private:
    cpu_set_t* bits_;
    std::size_t size_;
};

int pin(pthread_attr_t& attributes, int cpu) noexcept {
    try {
        const auto number = static_cast<std::size_t>(cpu);
        cpu_set only(number + 1);
        only.add(number);
        return pthread_attr_setaffinity_np(&attributes, only.bytes(), only.get());
    } catch (const std::bad_alloc&) {
        return ENOMEM;
    }
}

}  // namespace

int start_thread(pthread_t& id, const thread_start& what) noexcept {
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error != 0) {
        return error;
    }
    if (what.detached) {
        error = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    }
    if (error == 0 && what.cpu >= 0) {
        error = pin(attributes, what.cpu);
    }
    if (error == 0) {
        sigset_t all;
        sigset_t before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);  // inherited by the thread
        error = pthread_create(&id, &attributes, what.run, what.argument);
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }
    pthread_attr_destroy(&attributes);
    return error;
}

void name_this_thread(const char* name) noexcept {
    char cut[16] = {};
    std::strncpy(cut, name, sizeof cut - 1);
    pthread_setname_np(pthread_self(), cut);
}

std::vector<int> allowed_cpus() {
    constexpr std::size_t cpus_max = std::size_t{1} << 20;
    for (std::size_t cpus = CPU_SETSIZE; cpus <= cpus_max; cpus *= 2) {
        const cpu_set allowed(cpus);
        if (sched_getaffinity(0, allowed.bytes(), allowed.get()) == 0) {
            std::vector<int> numbers;
            for (std::size_t cpu = 0; cpu < cpus; ++cpu) {
                if (allowed.holds(cpu)) {
                    numbers.push_back(static_cast<int>(cpu));
                }
            }
            return numbers;
        }
        if (errno != EINVAL) {  // EINVAL: the kernel's sets are larger
            break;
        }
    }
    throw std::system_error(errno, std::system_category(), "sched_getaffinity");
}

}  // namespace weir::detail
