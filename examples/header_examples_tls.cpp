// The examples in the comments of runtime/tls/*.hpp, word for word, with what they need around
// them; the test "header examples" compares. What needs a network or files of certificates is
// compiled, and run as far as it goes without.
// clang-format off: the lines stand as in the comments.
#include <cstddef>
#include <cstdio>
#include <span>
#include <string>
#include <utility>
#include <vector>
#include <weir/runtime.hpp>
#include <weir/tls.hpp>

namespace {

void report(const std::string& text) { std::puts(text.c_str()); }

// The peer of these examples has gone: it takes everything and sends nothing.
void send(const std::vector<std::byte>& bytes) { report(std::to_string(bytes.size())); }
std::size_t receive(std::span<std::byte> into) { into[0] = std::byte{'-'}; return 1; }

class gone_peer {
  public:
    // ref: nothing is kept.
    weir::task<weir::result<std::size_t>> read_some(std::span<std::byte> /*into*/) { co_return 0; }
    // ref: nothing is kept.
    weir::task<weir::result<void>> write_all(std::span<const std::byte> /*from*/) { return done(); }
    weir::task<weir::result<void>> finish_writing() { return done(); }
    weir::task<weir::result<void>> close() { return done(); }

  private:
    static weir::task<weir::result<void>> done() { co_return weir::result<void>(); }
};

void errors_example() {
    const std::error_code error = weir::tls_errc::certificate_expired;
    if (weir::is_certificate_error(error)) { report(error.message()); }
}

void context_example() {
    weir::tls_options options;
    options.role = weir::tls_role::server;
    options.certificate_chain = weir::tls_pem::file("/etc/weir/server.pem");
    options.private_key = weir::tls_pem::file("/etc/weir/server.key");
    options.alpn = {"h2", "http/1.1"};
    const weir::tls_context context(options);
}

void engine_example() {
    const weir::tls_context context{weir::tls_options()};
    auto client = weir::tls_engine::make_client(context, "example.org");
    auto step = client->handshake();
    while (step && *step == weir::tls_step::needs_input) {
        send(client->take_output());
        client->add_input(receive(client->input_space()));
        step = client->handshake();
    }
    report(step ? "open" : step.error().message());
}

template <weir::byte_stream Lower>
weir::task<weir::result<void>> greet(Lower lower, weir::tls_context context) {
    using tls = weir::tls_stream<Lower>;
    auto peer = co_await tls::connect(std::move(lower), context, "example.org");
    if (!peer) { co_return std::unexpected(peer.error()); }
    auto sent = co_await peer->write_all(std::as_bytes(std::span("hello", 5)));
    if (!sent) { co_return sent; }
    co_return co_await peer->finish_writing();   // or the peer takes the end for an attack
}

}  // namespace

int main() {
    errors_example();
    try {
        context_example();
    } catch (const weir::tls_configuration_error& error) {
        report(error.what());
    }
    engine_example();
    const weir::tls_context context{weir::tls_options()};
    const weir::result<void> greeted = weir::run(greet(gone_peer(), context));
    report(greeted ? "greeted" : greeted.error().message());
    return greeted.error() == weir::tls_errc::closed_in_handshake ? 0 : 1;
}
