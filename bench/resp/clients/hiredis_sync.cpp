// hiredis with a blocking connection: commands are appended, the first wait for a reply sends them.
#include <memory>

#include "../catalog.hpp"
#include "hiredis_common.hpp"

namespace resp {
namespace {

struct free_context {
    void operator()(redisContext* what) const { redisFree(what); }
};

class sync_client {
  public:
    explicit sync_client(const job& what)
        : context_(redisConnectUnix(what.socket_path.c_str())),
          op_(what.of.op),
          depth_(what.of.depth),
          arguments_(command_of(what.of.op)),
          meter_(what.warm_up, what.window) {
        if (context_ == nullptr || context_->err != 0) {
            throw_error();
        }
    }

    figures in_batches() {
        bool running = meter_.tick();
        while (running) {
            const std::uint64_t began = meter_.now_ns();
            append(depth_);
            for (std::uint64_t index = 0; index < depth_; ++index) {
                take_one();
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
        append(depth_);
        trace.sent(depth_);
        while (running) {
            take_one();
            std::uint64_t replies = 1;
            while (take_received()) {
                ++replies;
            }
            meter_.count(replies);
            running = meter_.tick();
            trace.answered(replies);
            append(replies);
            trace.sent(replies);
        }
        return meter_.result();
    }

  private:
    [[noreturn]] void throw_error() const {
        throw bench::bench_error(std::string("hiredis: ") +
                                 (context_ == nullptr ? "no memory" : context_->errstr));
    }

    void append(std::uint64_t count) {
        for (std::uint64_t index = 0; index < count; ++index) {
            redisAppendCommandArgv(context_.get(), arguments_.count, arguments_.words.data(),
                                   arguments_.sizes.data());
        }
    }

    void take_one() {
        void* reply = nullptr;
        if (redisGetReply(context_.get(), &reply) != REDIS_OK) {
            throw_error();
        }
        check_and_free(reply);
    }

    // False where no whole reply has been received.
    bool take_received() {
        void* reply = nullptr;
        if (redisReaderGetReply(context_->reader, &reply) != REDIS_OK) {
            throw_error();
        }
        if (reply == nullptr) {
            return false;
        }
        check_and_free(reply);
        return true;
    }

    void check_and_free(void* reply) const {
        check_reply(static_cast<const redisReply*>(reply), op_);
        freeReplyObject(reply);
    }

    std::unique_ptr<redisContext, free_context> context_;
    operation op_;
    std::uint64_t depth_;
    argument_list arguments_;
    meter meter_;
};

}  // namespace

figures run_hiredis_sync(const job& what) {
    sync_client client(what);
    return is_sliding(what.of) ? client.sliding() : client.in_batches();
}

}  // namespace resp
