// A server that says what a test wants, on a Unix socket of the loop that the test runs on.
//
//     test::fake_redis server;
//     scope s;
//     s.spawn(server.run());
//     client redis(server.options());
//     ...
//     server.stop();
//     co_await s.join();
//
// By itself it answers HELLO, PING, ECHO, SET, GET, INCR and QUIT; `answer` may be replaced. It
// speaks only when it was asked, unless told otherwise by say(). With hold(true) it reads and keeps
// its answers until hold(false).
//
// Thread: one loop's.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weir/redisq/options.hpp>
#include <weir/runtime/net/unix_socket.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/stop.hpp>

#include "streams.hpp"
#include "temporary_folder.hpp"

namespace weir::test {

using words = std::vector<std::string>;

inline std::string bulk(std::string_view text) {
    return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

inline std::string array_of(std::initializer_list<std::string> items, char kind = '*') {
    std::string all = kind + std::to_string(kind == '%' ? items.size() / 2 : items.size()) + "\r\n";
    for (const std::string& item : items) {
        all += item;
    }
    return all;
}

// One command (an array of bulk strings) from the front of `bytes`, which loses it; empty where it
// is not complete.
inline words take_command(std::string& bytes) {
    std::size_t at = 0;
    const auto number = [&](char kind, std::size_t& value) {
        const std::size_t end = bytes.find("\r\n", at);
        if (end == std::string::npos) {
            return false;
        }
        EXPECT_EQ(bytes[at], kind) << bytes;
        std::from_chars(bytes.data() + at + 1, bytes.data() + end, value);
        at = end + 2;
        return true;
    };
    std::size_t count = 0;
    if (!number('*', count)) {
        return {};
    }
    words command;
    for (std::size_t word = 0; word < count; ++word) {
        std::size_t size = 0;
        if (!number('$', size) || bytes.size() < at + size + 2) {
            return {};
        }
        command.push_back(bytes.substr(at, size));
        at += size + 2;
    }
    bytes.erase(0, at);
    return command;
}

class fake_redis {
  public:
    // What is said to be the reply; nothing is said for an empty one.
    std::function<std::string(const words&)> answer = [this](const words& command) {
        return usual(command);
    };

    // Lives as long as the tasks that it is asked by.
    fake_redis() : listener_(unix_listener::listen(address()).value()) {}

    [[nodiscard]] std::string path() const { return folder_.file("redis"); }
    [[nodiscard]] std::string url() const { return "unix://" + path(); }
    [[nodiscard]] redisq::client_options options() const { return redisq::client_options(url()); }

    // Accepts and serves until stop().
    task<> run() {
        scope s;
        while (true) {
            auto peer = co_await listener_.accept();
            if (!peer) {
                break;
            }
            ++accepted;
            s.spawn(serve(std::move(*peer)));
        }
        drop();
        co_await s.join();
    }

    void stop() {
        hold(false);
        listener_.close();
    }

    // Nobody gets in any more, who is in is thrown out, and run() ends.
    void go_down() {
        hold(false);
        listener_.close();
        drop();
    }
    // And back; to be run() again.
    void go_up() {
        std::filesystem::remove(path());
        listener_ = unix_listener::listen(address()).value();
    }
    void drop() {
        for (const caller peer : peers_) {
            ::shutdown(peer->native_handle(), SHUT_RDWR);
        }
    }

    // To all who are connected.
    void say(std::string_view text) {
        for (const caller peer : peers_) {
            EXPECT_EQ(::send(peer->native_handle(), text.data(), text.size(), MSG_NOSIGNAL),
                      static_cast<ssize_t>(text.size()));
        }
    }

    // Who asked for the answer that is being made; to be told later, by say_to().
    using caller = const unix_stream*;
    [[nodiscard]] caller asking() const noexcept { return asking_; }
    // Nothing happens where he is gone.
    void say_to(caller to, std::string_view text) {
        if (std::ranges::find(peers_, to) != peers_.end()) {
            EXPECT_EQ(::send(to->native_handle(), text.data(), text.size(), MSG_NOSIGNAL),
                      static_cast<ssize_t>(text.size()));
        }
    }

    void hold(bool on) {
        held_ = on;
        if (!on) {
            release(kept_.size());
        }
    }
    void forget_held() { kept_.clear(); }
    // Of what is held, the first so many bytes go out.
    void release(std::size_t bytes) {
        if (bytes != 0) {
            say(kept_.substr(0, bytes));
            kept_.erase(0, bytes);
        }
    }

    [[nodiscard]] std::string usual(const words& command) {
        const std::string& name = command.front();
        if (name == "HELLO") {
            return hello_;
        }
        if (name == "ECHO") {
            return bulk(command.at(1));
        }
        if (name == "SET") {
            data[command.at(1)] = command.at(2);
            return "+OK\r\n";
        }
        if (name == "GET") {
            return data.contains(command.at(1)) ? bulk(data[command.at(1)]) : "_\r\n";
        }
        if (name == "INCR") {
            std::string& value = data[command.at(1)];
            value = std::to_string(std::stoi(value.empty() ? "0" : value) + 1);
            return ":" + value + "\r\n";
        }
        return name == "PING" ? "+PONG\r\n" : "-ERR unknown command '" + name + "'\r\n";
    }

    void refuse_hello() { hello_ = "-ERR unknown command 'HELLO'\r\n"; }

    [[nodiscard]] std::size_t connected() const { return peers_.size(); }

    std::map<std::string, std::string> data;
    std::vector<words> log;  // all commands but HELLO
    int accepted = 0;
    int receives = 0;
    bool deaf = false;  // reads, and takes no notice

  private:
    [[nodiscard]] socket_address address() const {
        return socket_address::unix_path(path()).value();
    }

    task<> serve(unix_stream peer) {
        peers_.push_back(&peer);
        std::string bytes;
        std::array<char, 65'536> part;
        while (true) {
            const auto count = co_await peer.read_some(std::as_writable_bytes(std::span(part)));
            if (!count || *count == 0) {
                break;
            }
            ++receives;
            if (deaf) {
                continue;
            }
            bytes.append(part.data(), *count);
            asking_ = &peer;
            const std::string replies = answer_all(bytes);
            if (!replies.empty()) {
                const auto sent = co_await peer.write_all(bytes_of(replies));
                static_cast<void>(sent);
            }
        }
        std::erase(peers_, &peer);
    }

    std::string answer_all(std::string& bytes) {
        std::string replies;
        for (words command = take_command(bytes); !command.empty(); command = take_command(bytes)) {
            const bool greets = command.front() == "HELLO";
            if (!greets) {
                log.push_back(command);
            }
            std::string& to = held_ && !greets ? kept_ : replies;
            to += answer(command);
        }
        return replies;
    }

    temporary_folder folder_;
    unix_listener listener_;
    std::vector<caller> peers_;
    caller asking_ = nullptr;
    std::string hello_ = array_of(
        {bulk("server"), bulk("redis"), bulk("version"), bulk("7.0.15"), bulk("proto"), ":3\r\n",
         bulk("id"), ":7\r\n", bulk("mode"), bulk("standalone"), bulk("role"), bulk("master")},
        '%');
    std::string kept_;
    bool held_ = false;
};

}  // namespace weir::test
