#include <fcntl.h>
#include <gtest/gtest.h>

#include <type_traits>
#include <utility>

#include <weir/runtime/file/descriptor.hpp>

namespace weir {
namespace {

int open_null() { return ::open("/dev/null", O_RDWR | O_CLOEXEC); }

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

TEST(FileDescriptorTest, ItClosesWhatItOwnsWhenItDies) {
    int number = -1;
    {
        const file_descriptor owner(open_null());
        number = owner.get();
        EXPECT_TRUE(owner);
        EXPECT_TRUE(is_open(number));
    }
    EXPECT_FALSE(is_open(number));
}

TEST(FileDescriptorTest, ANegativeNumberIsNone) {
    const file_descriptor nothing;
    EXPECT_FALSE(nothing);
    EXPECT_EQ(nothing.get(), -1);
    const file_descriptor failed(-14);
    EXPECT_FALSE(failed);
    EXPECT_EQ(failed.get(), -1);
}

TEST(FileDescriptorTest, AMoveHandsTheDescriptorOver) {
    static_assert(!std::is_copy_constructible_v<file_descriptor>);
    static_assert(std::is_nothrow_move_constructible_v<file_descriptor>);
    file_descriptor first(open_null());
    const int number = first.get();
    file_descriptor second(std::move(first));
    EXPECT_EQ(second.get(), number);
    file_descriptor third(open_null());
    const int replaced = third.get();
    third = std::move(second);
    EXPECT_EQ(third.get(), number);
    EXPECT_TRUE(is_open(number));
    EXPECT_FALSE(is_open(replaced));
}

TEST(FileDescriptorTest, AMoveToItselfKeepsIt) {
    file_descriptor owner(open_null());
    file_descriptor& same = owner;
    owner = std::move(same);
    EXPECT_TRUE(is_open(owner.get()));
}

TEST(FileDescriptorTest, ReleaseLeavesItOpen) {
    file_descriptor owner(open_null());
    const int number = owner.release();
    EXPECT_FALSE(owner);
    EXPECT_TRUE(is_open(number));
    owner.reset(number);
    EXPECT_EQ(owner.get(), number);
    owner.reset();
    EXPECT_FALSE(is_open(number));
    owner.reset();
}

}  // namespace
}  // namespace weir
