// The bytes that the load generator sends, and what it notes about those under way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace echo {

// An endless text that can be sent and compared from any place. Its period is prime, so that no
// message that is lost, doubled or misplaced leaves the rest in step.
class pattern {
  public:
    // `span_max`: the longest piece that is asked for.
    explicit pattern(std::size_t span_max);

    [[nodiscard]] const char* at(std::uint64_t offset) const {
        return text_.data() + offset % period;
    }
    [[nodiscard]] std::size_t span_max() const { return span_max_; }

    // Whether `size` bytes at `bytes` are what stands at `offset`. Of a long piece only both ends
    // are looked at, which finds any shift.
    [[nodiscard]] bool matches(std::uint64_t offset, const char* bytes, std::size_t size) const;

    static constexpr std::uint64_t period = 4'093;

  private:
    std::size_t span_max_;
    std::vector<char> text_;
};

// Times in the order in which they were added.
class time_queue {
  public:
    [[nodiscard]] std::size_t size() const { return tail_ - head_; }
    [[nodiscard]] bool empty() const { return head_ == tail_; }
    void push(std::uint64_t time) {
        if (size() == times_.size()) {
            grow();
        }
        times_[tail_++ & (times_.size() - 1)] = time;
    }
    // Requires that it is not empty.
    std::uint64_t pop() { return times_[head_++ & (times_.size() - 1)]; }

  private:
    void grow();

    std::vector<std::uint64_t> times_;  // a power of two of them, or none
    std::size_t head_ = 0;
    std::size_t tail_ = 0;
};

// One connection, as the load generator sees it.
struct connection {
    int fd = -1;
    bool sending = false;
    std::uint64_t phase = 0;      // where in the pattern its text starts
    std::uint64_t unsent = 0;     // bytes of messages that are to be sent
    std::uint64_t sent = 0;       // bytes handed to the kernel
    std::uint64_t received = 0;   // bytes
    std::uint64_t under_way = 0;  // messages
    time_queue started;           // of the messages under way
    time_queue overdue;           // of those that wait for a place
};

}  // namespace echo
