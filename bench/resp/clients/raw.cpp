// The limit: what any client pays for the same bytes. Commands are encoded before, replies are
// counted by their bytes, reads and writes block.
#include <string>
#include <vector>

#include "../../support/redis_connection.hpp"
#include "../catalog.hpp"

namespace resp {
namespace {

// Stays in the second cache level; larger ones were slower for the reply of 1 MiB.
constexpr std::size_t read_bytes = 65'536;

class raw_writer {
  public:
    explicit raw_writer(const job& what)
        : link_(what.socket_path), depth_(what.of.depth), meter_(what.warm_up, what.window) {
        const command one = command_of(what.of.op);
        reply_bytes_ = link_.reply_to(one).size();
        const std::string bytes = bench::encoded(one);
        command_bytes_ = bytes.size();
        for (std::uint64_t index = 0; index < depth_; ++index) {
            commands_ += bytes;
        }
    }

    figures in_batches() {
        bool running = meter_.tick();
        while (running) {
            const std::uint64_t began = meter_.now_ns();
            send(depth_);
            std::size_t left = reply_bytes_ * depth_;
            while (left > 0) {
                left -= link_.read_some(buffer_.data(), std::min(buffer_.size(), left));
            }
            meter_.count(depth_);
            running = meter_.tick();
            meter_.sample(began);
        }
        return meter_.result();
    }

    figures sliding() {
        tracer trace(meter_);
        bool running = meter_.tick();
        send(depth_);
        trace.sent(depth_);
        std::size_t got = 0;
        while (running) {
            got += link_.read_some(buffer_.data(), buffer_.size());
            const std::size_t replies = got / reply_bytes_;
            got %= reply_bytes_;
            meter_.count(replies);
            running = meter_.tick();
            trace.answered(replies);
            send(replies);
            trace.sent(replies);
        }
        return meter_.result();
    }

  private:
    void send(std::uint64_t count) {
        link_.write_all(std::string_view(commands_).substr(0, command_bytes_ * count));
    }

    bench::redis_connection link_;
    std::uint64_t depth_;
    std::size_t command_bytes_ = 0;
    std::size_t reply_bytes_ = 0;
    std::string commands_;
    std::vector<char> buffer_ = std::vector<char>(read_bytes);
    meter meter_;
};

}  // namespace

figures run_raw(const job& what) {
    raw_writer writer(what);
    return what.of.how == mode::callers || is_sliding(what.of) ? writer.sliding()
                                                               : writer.in_batches();
}

}  // namespace resp
