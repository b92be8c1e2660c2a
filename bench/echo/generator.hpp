// Makes the load: connects, sends messages, takes them back, compares them, and notes how long each
// was under way. On bare liburing, so that it is not what limits a server.
//
// Closed loop: every connection has `depth` messages under way, and what has come back is sent
// anew; a latency starts when the message is made ready to send. Open loop: a message is due at
// fixed times, whatever the server does; its latency starts when it was due, also where it had to
// wait for one of the `depth` places.
//
// Where all messages of a connection fit into one segment, a send and the receive of its answer are
// one chain, as in the fastest server; otherwise both go on independently, so that a server may
// write before it has read everything.
// Thread: one.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>

#include "histogram.hpp"
#include "shape.hpp"

namespace echo {

// What a server did wrong, or what the machine does not allow.
class load_error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

struct load_plan {
    shape of;
    double rate = 0;  // messages a second over all connections; 0: closed loop
    std::chrono::nanoseconds warm_up{};
    std::chrono::nanoseconds window{};
};

// Called on the generator's thread at the edges of the window that is measured.
class load_observer {
  public:
    virtual ~load_observer() = default;
    virtual void begin() = 0;
    virtual void end() = 0;
};

struct load_result {
    std::uint64_t messages = 0;  // that came back within the window
    double seconds = 0;          // of the window, as it was
    double busy = 0;             // CPU of this thread in proportion to the window
};

class generator {
  public:
    // Connects all of `of.connections` to `port` on 127.0.0.1. Throws load_error.
    generator(const shape& of, std::uint16_t port);
    generator(const generator&) = delete;
    generator& operator=(const generator&) = delete;
    ~generator();

    // Runs once. Ends when every message that was sent has come back; throws load_error where one
    // does not, or comes back wrong.
    [[nodiscard]] load_result run(const load_plan& plan, load_observer& observer);

    // Latencies within the window, in ns.
    [[nodiscard]] const histogram& latencies() const;

  private:
    class state;
    std::unique_ptr<state> state_;
};

}  // namespace echo
