// Floors: the least that a task could cost. A coroutine without a loop, without cancellation and
// without errors, awaited by symmetric transfer; and a FIFO of such coroutines.
//
// Only for optimised builds: without tail calls a long loop of awaits would grow the stack.
// Thread: one.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdlib>
#include <utility>

namespace bare {

// Frames from one free list; they are all of about one size here.
struct recycled {
    static constexpr std::size_t block_bytes = 256;
    struct block {
        block* next;
    };
    static inline block* free_blocks = nullptr;

    static void* operator new(std::size_t size) {
        if (block* const first = free_blocks; first != nullptr && size <= block_bytes) {
            free_blocks = first->next;
            return first;
        }
        return ::operator new(size <= block_bytes ? block_bytes : size);
    }
    static void operator delete(void* memory, std::size_t size) noexcept {
        if (size > block_bytes) {
            ::operator delete(memory);
            return;
        }
        auto* const freed = static_cast<block*>(memory);
        freed->next = free_blocks;
        free_blocks = freed;
    }
};

// Frames from the heap.
struct from_heap {};

template <class Memory>
class task {
  public:
    struct promise_type : Memory {
        struct hand_over {
            [[nodiscard]] bool await_ready() const noexcept { return false; }
            [[nodiscard]] std::coroutine_handle<> await_suspend(
                std::coroutine_handle<promise_type> ended) const noexcept {
                return ended.promise().parent;
            }
            void await_resume() const noexcept {}
        };

        task get_return_object() noexcept {
            return task(std::coroutine_handle<promise_type>::from_promise(*this));
        }
        [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
        [[nodiscard]] hand_over final_suspend() const noexcept { return {}; }
        void return_value(int result) noexcept { value = result; }
        [[noreturn]] void unhandled_exception() const noexcept { std::abort(); }

        std::coroutine_handle<> parent = std::noop_coroutine();
        int value = 0;
    };

    class awaiter {
      public:
        explicit awaiter(std::coroutine_handle<promise_type> child) noexcept : child_(child) {}
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        [[nodiscard]] std::coroutine_handle<> await_suspend(
            std::coroutine_handle<> parent) const noexcept {
            child_.promise().parent = parent;
            return child_;
        }
        [[nodiscard]] int await_resume() const noexcept { return child_.promise().value; }

      private:
        std::coroutine_handle<promise_type> child_;
    };

    task(task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    task& operator=(task&&) = delete;
    ~task() {
        if (handle_) {
            handle_.destroy();
        }
    }

    [[nodiscard]] awaiter operator co_await() && noexcept { return awaiter(handle_); }
    [[nodiscard]] std::coroutine_handle<promise_type> handle() const noexcept { return handle_; }
    [[nodiscard]] std::coroutine_handle<promise_type> release() noexcept {
        return std::exchange(handle_, nullptr);
    }

  private:
    explicit task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}

    std::coroutine_handle<promise_type> handle_;
};

// A FIFO of suspended coroutines, linked through their awaiters.
class ready_list {
  public:
    class turn {
      public:
        explicit turn(ready_list& list) noexcept : list_(list) {}
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> handle) noexcept {
            handle_ = handle;
            list_.push(*this);
        }
        void await_resume() const noexcept {}

      private:
        friend class ready_list;
        ready_list& list_;
        std::coroutine_handle<> handle_;
        turn* next_ = nullptr;
    };

    // co_await list.yield() goes to the end of the list.
    [[nodiscard]] turn yield() noexcept { return turn(*this); }

    void run() {
        while (head_ != nullptr) {
            turn& first = *head_;
            head_ = first.next_;
            if (head_ == nullptr) {
                tail_ = &head_;
            }
            first.handle_.resume();
        }
    }

  private:
    void push(turn& last) noexcept {
        last.next_ = nullptr;
        *tail_ = &last;
        tail_ = &last.next_;
    }

    turn* head_ = nullptr;
    turn** tail_ = &head_;
};

}  // namespace bare
