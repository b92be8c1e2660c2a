// Connections with the programs of OpenSSL itself, over Unix sockets.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <weir/runtime/net/unix_socket.hpp>
#include <weir/runtime/process/child.hpp>
#include <weir/runtime/run.hpp>
#include <weir/runtime/tls/stream.hpp>
#include <weir/runtime/with_timeout.hpp>

#include "support/certificates.hpp"
#include "support/temporary_folder.hpp"

namespace weir {
namespace {

using tls = tls_stream<unix_stream>;

std::string write_file(const std::string& path, const std::string& text) {
    std::ofstream(path) << text;
    return path;
}

socket_address address_in(const test::temporary_folder& folder) {
    return socket_address::unix_path(folder.file("socket")).value();
}

command openssl(const std::vector<std::string>& words, const std::string& version) {
    command made("openssl");
    made.arguments(words).argument(version);
    made.input(child_stdio::pipe).output(child_stdio::pipe).error(child_stdio::null);
    return made;
}

// Takes one connection, and sends each line back, reversed.
command their_server(const test::temporary_folder& folder, const std::string& version) {
    const test::identity& own = test::server_identity();
    return openssl({"s_server", "-unix", folder.file("socket"), "-naccept", "1", "-rev", "-alpn",
                    "redis", "-cert", write_file(folder.file("cert.pem"), own.certificate), "-key",
                    write_file(folder.file("key.pem"), own.key)},
                   version);
}

// Sends its standard input, and writes what it receives.
command their_client(const test::temporary_folder& folder, const std::string& version) {
    const test::identity& own = test::client_identity();
    const std::string& trusted = test::trusted_authority().certificate();
    return openssl({"s_client", "-unix", folder.file("socket"), "-quiet", "-verify_return_error",
                    "-CAfile", write_file(folder.file("ca.pem"), trusted), "-servername",
                    "example.org", "-verify_hostname", "example.org", "-cert",
                    write_file(folder.file("cert.pem"), own.certificate), "-key",
                    write_file(folder.file("key.pem"), own.key)},
                   version);
}

// All that comes up to `end`, or up to the end of the stream.
template <byte_reader Reader>
task<std::string> read_until(Reader& from, std::string end) {
    std::string text;
    std::array<std::byte, 100> part;
    while (!text.ends_with(end)) {
        // One byte at a time: what follows is the next reader's.
        const auto room = std::span(part).first(1);
        const result<std::size_t> got = co_await from.read_some(room);
        EXPECT_TRUE(got.has_value()) << got.error().message();
        if (!got || *got == 0) {
            break;
        }
        text.append(reinterpret_cast<const char*>(part.data()), *got);
    }
    co_return text;
}

template <byte_writer Writer>
task<> write_text(Writer& to, std::string text) {
    const auto bytes = std::as_bytes(std::span(text));
    const result<void> written = co_await to.write_all(bytes);
    EXPECT_TRUE(written.has_value()) << written.error().message();
}

// Null where there is no such program.
task<std::optional<child_process>> start(command what) {
    try {
        co_return co_await child_process::spawn(std::move(what));
    } catch (const std::system_error& error) {
        if (error.code() != std::errc::no_such_file_or_directory) {
            throw;
        }
    }
    co_return std::nullopt;
}

constexpr const char* no_program = "the program openssl is not installed";

task<bool> with_their_server(std::string version) {
    const test::temporary_folder folder;
    std::optional<child_process> child = co_await start(their_server(folder, version));
    if (!child) {
        co_return false;
    }
    // Its output is a pipe, to which it says when it listens.
    const std::string ready = co_await read_until(child->output(), folder.file("socket") + "\n");
    EXPECT_NE(ready.find("ACCEPT"), std::string::npos) << ready;
    auto lower = co_await unix_stream::connect(address_in(folder));
    EXPECT_TRUE(lower.has_value());
    tls_options options = test::client_options();
    options.alpn = {"redis"};
    auto peer = co_await tls::connect(std::move(*lower), tls_context(options), "example.org");
    EXPECT_TRUE(peer.has_value()) << peer.error().message();
    if (!peer) {
        co_return true;
    }
    EXPECT_EQ(peer->alpn(), "redis");
    EXPECT_EQ(peer->protocol(), version == "-tls1_2" ? "TLSv1.2" : "TLSv1.3");
    co_await write_text(*peer, "abc\n");
    EXPECT_EQ(co_await read_until(*peer, "\n"), "cba\n");
    co_await write_text(*peer, "def\n");
    EXPECT_EQ(co_await read_until(*peer, "\n"), "fed\n");
    EXPECT_TRUE((co_await peer->finish_writing()).has_value());
    EXPECT_EQ(co_await read_until(*peer, "\n"), "") << "close_notify came back";
    EXPECT_TRUE((co_await peer->close()).has_value());
    EXPECT_TRUE((co_await child->wait()).success());
    co_return true;
}

task<bool> with_their_client(std::string version) {
    const test::temporary_folder folder;
    auto listening = unix_listener::listen(address_in(folder));
    std::optional<child_process> child = co_await start(their_client(folder, version));
    if (!child) {
        co_return false;
    }
    auto lower = co_await listening->accept();
    EXPECT_TRUE(lower.has_value());
    tls_options options = test::server_options();
    options.authorities = tls_pem::bytes(test::trusted_authority().certificate());
    options.client_certificates = tls_client_certificates::required;
    auto peer = co_await tls::accept(std::move(*lower), tls_context(options));
    EXPECT_TRUE(peer.has_value()) << peer.error().message();
    if (!peer) {
        co_return true;
    }
    EXPECT_EQ(peer->peer_certificate_subject(), "CN=client");
    co_await write_text(child->input(), "question\n");
    EXPECT_EQ(co_await read_until(*peer, "\n"), "question\n");
    co_await write_text(*peer, std::string(100'000, 'x') + "answer\n");
    EXPECT_EQ(co_await read_until(child->output(), "answer\n"),
              std::string(100'000, 'x') + "answer\n");
    EXPECT_TRUE((co_await peer->finish_writing()).has_value());
    EXPECT_EQ(co_await read_until(child->output(), "\n"), "") << "it ends by itself";
    EXPECT_TRUE((co_await child->wait()).success());
    co_return true;
}

class TlsInteropTest : public testing::TestWithParam<const char*> {
  protected:
    static void run_or_skip(task<bool> body) {
        if (!run(with_timeout(std::chrono::minutes(1), std::move(body)))) {
            GTEST_SKIP() << no_program;
        }
    }
};

TEST_P(TlsInteropTest, SpeaksWithTheirServer) { run_or_skip(with_their_server(GetParam())); }

TEST_P(TlsInteropTest, SpeaksWithTheirClient) { run_or_skip(with_their_client(GetParam())); }

INSTANTIATE_TEST_SUITE_P(Versions, TlsInteropTest, testing::Values("-tls1_2", "-tls1_3"),
                         [](const auto& which) { return std::string(which.param).substr(1); });

}  // namespace
}  // namespace weir
