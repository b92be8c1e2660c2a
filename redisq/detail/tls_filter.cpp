#include <cstring>
#include <memory>
#include <utility>

#include "../../runtime/net/errors.hpp"
#include "../../runtime/tls/context.hpp"
#include "../../runtime/tls/engine.hpp"
#include "wire_filter.hpp"

namespace weir::redisq::detail {
namespace {

class tls_filter final : public wire_filter {
  public:
    explicit tls_filter(tls_engine engine) : engine_(std::move(engine)) {}

    weir::result<bool> shake_hands() override {
        const weir::result<tls_step> step = engine_.handshake();
        if (!step) {
            return std::unexpected(step.error());
        }
        return *step == tls_step::done;
    }

    std::span<std::byte> input_space() noexcept override { return engine_.input_space(); }

    void add_input(std::size_t count) noexcept override {
        if (count == 0) {
            engine_.end_input();
        } else {
            engine_.add_input(count);
        }
    }

    weir::result<std::size_t> read(std::span<std::byte> into) override {
        const weir::result<tls_transfer> step = engine_.read(into);
        if (!step) {
            return std::unexpected(step.error());
        }
        if (step->step == tls_step::done && step->bytes == 0) {
            return std::unexpected(make_error_code(net_errc::end_of_stream));
        }
        return step->bytes;
    }

    weir::result<void> write(std::span<const std::byte> plain) override {
        while (!plain.empty()) {
            const weir::result<tls_transfer> step = engine_.write(plain);
            if (!step) {
                return std::unexpected(step.error());
            }
            if (step->bytes == 0) {
                // Half a handshake message has come; no server of Redis begins one.
                return std::unexpected(std::make_error_code(std::errc::protocol_error));
            }
            plain = plain.subspan(step->bytes);
        }
        return {};
    }

    void take_output(std::vector<std::byte>& to) override {
        if (to.empty()) {
            to = engine_.take_output();
            return;
        }
        const std::vector<std::byte> more = engine_.take_output();
        to.insert(to.end(), more.begin(), more.end());
    }

  private:
    tls_engine engine_;
};

}  // namespace

redisq::result<std::unique_ptr<wire_filter>> make_tls_filter(const client_options& options,
                                                             const std::string& host) {
    const std::string& name = options.tls_server_name.empty() ? host : options.tls_server_name;
    try {
        // Made anew for each connection: files of certificates are replaced while programs run.
        const tls_context context(options.tls != nullptr ? *options.tls : tls_options());
        weir::result<tls_engine> engine = tls_engine::make_client(context, name);
        if (!engine) {
            return std::unexpected(error(
                engine.error(), options.server.to_string() + ": " + engine.error().message()));
        }
        return std::make_unique<tls_filter>(std::move(*engine));
    } catch (const tls_configuration_error& wrong) {
        return std::unexpected(error(make_error_code(errc::bad_option), wrong.what()));
    }
}

}  // namespace weir::redisq::detail
