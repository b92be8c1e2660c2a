#include <gtest/gtest.h>
#include <string>
#include <weir/redisq/jobs/envelope.hpp>

namespace weir::redisq {
namespace {

std::string written(const envelope& job) {
    std::string bytes;
    write_envelope(bytes, job);
    return bytes;
}

envelope full() {
    envelope job;
    job.type = "resize";
    job.format = payload_format::messagepack;
    job.attempts = 3;
    job.expires_ms = 123'456'789'012;
    job.timeout_ms = 30'000;
    job.result_ms = 60'000;
    job.reply_to = "p1";
    job.unique_key = "user 7";
    job.trace = "00-abc";
    job.history = "1\t2\tw\tno disk\n";
    job.next = std::string_view("1\x01\x00\x01z", 5);
    job.crashes = 2;
    job.payload = std::string_view("\0pay\xFFload", 9);
    return job;
}

TEST(EnvelopeTest, APlainJobCostsThreeBytesAndItsName) {
    envelope job;
    job.type = "noop";
    job.payload = "abc";
    EXPECT_EQ(written(job), std::string("\x01\x00\x04noopabc", 10));
}

TEST(EnvelopeTest, EveryFieldComesBack) {
    const std::string bytes = written(full());
    const result<envelope> back = read_envelope(bytes);
    ASSERT_TRUE(back) << back.error().message();
    EXPECT_EQ(back->type, "resize");
    EXPECT_EQ(back->format, payload_format::messagepack);
    EXPECT_EQ(back->attempts, 3U);
    EXPECT_EQ(back->expires_ms, 123'456'789'012U);
    EXPECT_EQ(back->timeout_ms, 30'000U);
    EXPECT_EQ(back->result_ms, 60'000U);
    EXPECT_EQ(back->reply_to, "p1");
    EXPECT_EQ(back->unique_key, "user 7");
    EXPECT_EQ(back->trace, "00-abc");
    EXPECT_EQ(back->history, full().history);
    EXPECT_EQ(back->next, full().next);
    EXPECT_EQ(back->crashes, 2U);
    EXPECT_EQ(back->payload, full().payload);
    EXPECT_EQ(written(*back), bytes);
}

TEST(EnvelopeTest, UnknownFieldsAreKept) {
    envelope job = full();
    job.others = std::string_view("Q\x03XYZN\x00", 7);
    const std::string bytes = written(job);
    const result<envelope> back = read_envelope(bytes);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->others, job.others);
    EXPECT_EQ(written(*back), bytes);
}

TEST(EnvelopeTest, CutAnywhereWithinItsHeadItIsDamaged) {
    const std::string bytes = written(full());
    const std::size_t head = bytes.size() - full().payload.size();
    for (std::size_t length = 0; length < head; ++length) {
        const result<envelope> back = read_envelope(std::string_view(bytes).substr(0, length));
        ASSERT_FALSE(back) << length;
        EXPECT_EQ(back.error().code(), job_errc::damaged_envelope) << length;
    }
}

TEST(EnvelopeTest, BytesThatAreNoEnvelopeAreDamaged) {
    for (const std::string& bytes :
         {std::string("\0", 1), std::string("\x01\x08\x01n", 4), std::string("\x01\x03\x01n", 4),
          std::string("\x01\x00\x00", 3), std::string("\x01\x04\x01n\xFF\xFF\xFF\xFF\xFF\xFF", 10),
          std::string("\x01\x04\x01n\x03"
                      "a\x01x",
                      8)}) {
        const result<envelope> back = read_envelope(bytes);
        ASSERT_FALSE(back);
        EXPECT_EQ(back.error().code(), job_errc::damaged_envelope);
    }
}

TEST(EnvelopeTest, ALaterVersionIsToldFromDamage) {
    const result<envelope> back = read_envelope("\x02whatever");
    ASSERT_FALSE(back);
    EXPECT_EQ(back.error().code(), job_errc::unknown_version);
    EXPECT_EQ(back.error().message(), "envelope of version 2; this program knows version 1");
    EXPECT_EQ(envelope_version_of("\x07"), 7U);
    EXPECT_EQ(envelope_version_of(""), 0U);
}

TEST(HistoryTest, KeepsTheLastTenAttemptsWithTheirReasons) {
    std::string history;
    for (std::uint32_t i = 1; i <= 12; ++i) {
        history =
            add_to_history(history, i, 1000 + i, "host.1", "disk\tfull\n" + std::to_string(i));
    }
    EXPECT_TRUE(history.starts_with("3\t1003\thost.1\tdisk full 3\n"));
    EXPECT_EQ(last_reason(history), "disk full 12");
    EXPECT_EQ(last_reason(""), "");
    EXPECT_LT(add_to_history("", 1, 1, "w", std::string(5000, 'x')).size(), 600U);
}

}  // namespace
}  // namespace weir::redisq
