// The parser against hiredis 0.14's reader: what both are given, they understand alike.
//
// hiredis is the more generous one (it takes CR alone inside a line), so damaged bytes are only
// compared as far as we take them.
#include <gtest/gtest.h>
#include <hiredis/hiredis.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "support/resp.hpp"

namespace {

using weir::test::parse_in_pieces;
using weir::test::parsed;

// Written as text_of() does.
std::string text_of(const redisReply& reply) {
    const std::string text(reply.str != nullptr ? reply.str : "",
                           reply.str != nullptr ? reply.len : 0);
    switch (reply.type) {
        case REDIS_REPLY_STRING:
            return '"' + text + '"';
        case REDIS_REPLY_STATUS:
            return '+' + text;
        case REDIS_REPLY_ERROR:
            return '-' + text;
        case REDIS_REPLY_INTEGER:
            return std::to_string(reply.integer);
        case REDIS_REPLY_NIL:
            return "null";
        default:
            break;
    }
    std::string out = "[";
    for (std::size_t i = 0; i != reply.elements; ++i) {
        out += (i != 0 ? "," : "") + text_of(*reply.element[i]);
    }
    return out + ']';
}

// The replies, and "error" where hiredis reports one.
parsed parse_by_hiredis(std::string_view bytes, std::size_t piece_bytes) {
    const std::unique_ptr<redisReader, decltype(&redisReaderFree)> reader(redisReaderCreate(),
                                                                          &redisReaderFree);
    parsed out;
    while (!bytes.empty() && out.error.empty()) {
        const std::string_view piece = bytes.substr(0, piece_bytes);
        bytes.remove_prefix(piece.size());
        redisReaderFeed(reader.get(), piece.data(), piece.size());
        void* reply = nullptr;
        while (out.error.empty() &&
               (redisReaderGetReply(reader.get(), &reply) != REDIS_OK || reply != nullptr)) {
            if (reader->err != 0) {
                out.error = "error";
                break;
            }
            out.replies.push_back(text_of(*static_cast<redisReply*>(reply)));
            freeReplyObject(reply);
            reply = nullptr;
        }
    }
    return out;
}

class generator {
  public:
    explicit generator(std::uint64_t seed) : random_(seed) {}

    std::size_t below(std::size_t bound) { return random_() % bound; }

    // RESP2, at most as deep as hiredis 0.14 goes.
    void add_reply(std::string& out, int levels) {
        switch (below(levels > 0 ? 9 : 7)) {
            case 0:
                out += '+' + line() + "\r\n";
                return;
            case 1:
                out += '-' + line() + "\r\n";
                return;
            case 2:
                out += ':' + std::to_string(static_cast<std::int64_t>(random_() >> below(64))) +
                       "\r\n";
                return;
            case 3:
                out += ":-" + std::to_string(1 + below(1'000'000)) + "\r\n";
                return;
            case 4:
                out += "$-1\r\n";
                return;
            case 5:
            case 6: {
                const std::string text = bytes();
                out += '$' + std::to_string(text.size()) + "\r\n" + text + "\r\n";
                return;
            }
            default: {
                const std::size_t elements = below(6);
                out += '*' + std::to_string(elements) + "\r\n";
                for (std::size_t i = 0; i != elements; ++i) {
                    add_reply(out, levels - 1);
                }
            }
        }
    }

  private:
    std::string line() {
        std::string out(below(30), ' ');
        std::ranges::generate(out, [this] { return static_cast<char>(' ' + below(95)); });
        return out;
    }
    std::string bytes() {
        std::string out(below(8) == 0 ? below(40'000) : below(100), ' ');
        std::ranges::generate(out, [this] { return "\r\n$*:+-0123456789abcdef"[below(23)]; });
        return out;
    }

    std::mt19937_64 random_;
};

std::string random_stream(generator& chance) {
    std::string bytes;
    for (std::size_t replies = 1 + chance.below(8); replies != 0; --replies) {
        chance.add_reply(bytes, 5);
    }
    return bytes;
}

TEST(RespAgainstHiredisTest, RandomRepliesAreUnderstoodAlike) {
    const std::uint64_t seed = std::random_device()();
    SCOPED_TRACE("seed " + std::to_string(seed));
    generator chance(seed);
    for (int round = 0; round < 1'000; ++round) {
        const std::string bytes = random_stream(chance);
        const std::size_t piece = 1 + chance.below(bytes.size());
        const parsed expected = parse_by_hiredis(bytes, piece);
        ASSERT_EQ(expected.error, "");
        ASSERT_EQ(parse_in_pieces(bytes, piece), expected) << bytes;
    }
}

TEST(RespAgainstHiredisTest, WhatIsDamagedAndTakenAllTheSameIsUnderstoodAlike) {
    const std::uint64_t seed = std::random_device()();
    SCOPED_TRACE("seed " + std::to_string(seed));
    generator chance(seed);
    int refused = 0;
    for (int round = 0; round < 3'000; ++round) {
        std::string bytes = random_stream(chance);
        bytes.resize(std::min<std::size_t>(bytes.size(), 300));
        for (std::size_t damage = 1 + chance.below(3); damage != 0; --damage) {
            bytes[chance.below(bytes.size())] = "\r\n$*:+-0129x"[chance.below(12)];
        }
        // hiredis takes neither the plus sign that the specification allows, nor -0.
        for (const char* const form : {":+", ":-0"}) {
            for (std::size_t at = 0; (at = bytes.find(form, at)) != std::string::npos;) {
                bytes[at + 1] = '1';
            }
        }
        const parsed ours = parse_in_pieces(bytes, bytes.size());
        const parsed theirs = parse_by_hiredis(bytes, bytes.size());
        // What came before our error, hiredis saw as well.
        ASSERT_LE(ours.replies.size(), theirs.replies.size()) << bytes;
        for (std::size_t i = 0; i != ours.replies.size(); ++i) {
            ASSERT_EQ(ours.replies[i], theirs.replies[i]) << bytes;
        }
        // What hiredis refuses, we refuse.
        ASSERT_FALSE(ours.error.empty() && !theirs.error.empty()) << bytes;
        refused += ours.error.empty() ? 0 : 1;
    }
    EXPECT_GT(refused, 100);
}

}  // namespace
