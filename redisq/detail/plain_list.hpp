// A list of plain values that is appended to by writing behind its end: room first, then the
// values, then the new size. Less ado than std::vector, which counts one value at a time.
//
// Memory: one block that doubles, and is kept by clear(). Thread: a value.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>

namespace weir::redisq::detail {

template <class T>
class plain_list {
    static_assert(std::is_trivially_copyable_v<T>);

  public:
    plain_list() noexcept = default;
    plain_list(const plain_list& other) {
        reserve_more(other.size_);
        copy(other.items_.get(), other.size_);
        size_ = other.size_;
    }
    plain_list(plain_list&& other) noexcept { swap(other); }
    plain_list& operator=(plain_list other) noexcept {
        swap(other);
        return *this;
    }
    ~plain_list() = default;

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] T* data() noexcept { return items_.get(); }
    [[nodiscard]] const T* data() const noexcept { return items_.get(); }
    [[nodiscard]] const T& operator[](std::size_t index) const noexcept { return items_[index]; }

    [[nodiscard]] bool has_room(std::size_t more) const noexcept {
        return more <= capacity_ - size_;
    }
    // Room for `more` values behind the end. Throws std::bad_alloc, and nothing has happened.
    void reserve_more(std::size_t more) {
        if (!has_room(more)) [[unlikely]] {
            grow(more);
        }
    }
    // The values behind the end up to there have been written.
    void set_size(std::size_t size) noexcept { size_ = size; }
    // Requires room.
    void push(const T& value) noexcept { items_[size_++] = value; }
    void clear() noexcept { size_ = 0; }

  private:
    static constexpr std::size_t capacity_min = 64;

    void grow(std::size_t more) {
        const std::size_t capacity = std::max({2 * capacity_, size_ + more, capacity_min});
        std::unique_ptr<T[]> larger = std::make_unique_for_overwrite<T[]>(capacity);
        items_.swap(larger);
        copy(larger.get(), size_);
        capacity_ = capacity;
    }
    void copy(const T* from, std::size_t count) noexcept {
        if (count != 0) {
            std::memcpy(items_.get(), from, count * sizeof(T));
        }
    }
    void swap(plain_list& other) noexcept {
        items_.swap(other.items_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
    }

    std::unique_ptr<T[]> items_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace weir::redisq::detail
