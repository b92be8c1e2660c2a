// Echo on bare liburing: one multishot receive a connection, whose data comes in buffers that the
// kernel picks, and answers that are sent from those buffers.
//
// An answer is first sent in a way that either ends in the submission or fails (MSG_DONTWAIT), and
// reports only a failure. So after a submission all its buffers are free again but those of answers
// that were reported: one completion a message here too. It has to be one request, since the second
// one of a chain would end later. A connection whose peer is slow falls back to sends that wait,
// one at a time, until nothing of it is left.
//
// A connection's answer is in one of three states: idle, issued (handed over, its result is known
// after the next submission), waiting (a send that waits is in the kernel).
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <deque>
#include <limits>
#include <vector>

#include "buffer_ring.hpp"
#include "ring.hpp"
#include "server.hpp"

namespace echo {
namespace {

enum class kind : std::uint64_t { stop, accept, receive, issued, waiting, ignored };
constexpr unsigned kind_bits = 3;
// The kernel goes through its buffers in turn, so few of them stay in the caches: it gets these,
// and two more for each connection, one to receive into while the other is sent.
constexpr unsigned buffers_min = 64;
constexpr unsigned buffers_max = 2'048;
constexpr std::size_t buffers_bytes_max = std::size_t{32} << 20;
constexpr unsigned parts_max = 16;
constexpr int sent = std::numeric_limits<int>::max();
constexpr unsigned none = std::numeric_limits<unsigned>::max();

constexpr std::uint64_t tagged(kind what, unsigned slot) {
    return static_cast<std::uint64_t>(what) | std::uint64_t{slot} << kind_bits;
}

unsigned slot_of(const io_uring_cqe& cqe) {
    return static_cast<unsigned>(cqe.user_data >> kind_bits);
}

kind kind_of(const io_uring_cqe& cqe) {
    return static_cast<kind>(cqe.user_data & ((1U << kind_bits) - 1));
}

struct piece {
    unsigned next = none;
    unsigned offset = 0;
    unsigned size = 0;  // from the offset on
};

// An answer that consists of several pieces.
struct message {
    msghdr head{};
    std::array<iovec, parts_max> parts{};
};

struct connection {
    enum class state : std::uint8_t { idle, issued, waiting };
    unsigned first = none;  // received and not yet sent, in order
    unsigned last = none;
    unsigned issued = 0;  // pieces at the front that were handed over
    int result = sent;    // of what was handed over, where it failed
    state answer = state::idle;
    bool ended = false;  // nothing more will be received
    bool queued = false;
};

class multishot_server {
  public:
    explicit multishot_server(server_job& job)
        : job_(job),
          slots_(connection_limit()),
          ring_(4'096, 32'768, slots_),
          buffers_(ring_.get(), affordable(job.buffer_bytes()), job.buffer_bytes()),
          connections_(slots_),
          pieces_(buffers_.count()),
          listener_(job.listen(0)) {
        supply(buffers_min);
        buffers_.publish();
        io_uring_sqe* const stop = ring_.entry();
        io_uring_prep_poll_add(stop, job.stop_fd(), POLLIN);
        stop->user_data = tagged(kind::stop, 0);
        accept();
        ring_.submit();
        job.ready();
    }

    void run() {
        std::uint64_t counted = ring_.enters();
        while (!stopping_) {
            if (due_.empty()) {
                ring_.submit_and_wait();
            } else {
                ring_.submit_and_work();
            }
            job_.count_syscalls(ring_.enters() - counted);
            counted = ring_.enters();
            reap();
        }
    }

  private:
    // Failed sends are looked at first: only then is it known which buffers are free.
    void reap() {
        unsigned head = 0;
        unsigned count = 0;
        io_uring_cqe* cqe = nullptr;
        io_uring_for_each_cqe(ring_.get(), head, cqe) {
            if (kind_of(*cqe) == kind::issued) {
                connections_[slot_of(*cqe)].result = cqe->res;
            }
            ++count;
        }
        settle();
        // Not one more: a submission on the way may bring failures that belong to the next time.
        unsigned left = count;
        io_uring_for_each_cqe(ring_.get(), head, cqe) {
            if (left-- == 0) {
                break;
            }
            complete(*cqe);
        }
        io_uring_cq_advance(ring_.get(), count);
        buffers_.publish();
        for (; !starved_.empty() && free_ > 0; starved_.pop_back()) {
            receive(starved_.back());
        }
        still_due_.swap(due_);
        for (const unsigned slot : still_due_) {
            connections_[slot].queued = false;
            answer(slot);
        }
        still_due_.clear();
    }

    void settle() {
        for (const unsigned slot : issued_) {
            connection& of = connections_[slot];
            of.answer = connection::state::idle;
            if (of.result == sent) {
                for (; of.issued > 0; --of.issued) {
                    drop_first(of);
                }
                continue;
            }
            // An error is met again by the send that waits.
            consume(of, of.result > 0 ? static_cast<unsigned>(of.result) : 0);
            of.result = sent;
            of.issued = 0;
            send_waiting(slot);
        }
        issued_.clear();
        messages_used_ = 0;
    }

    void consume(connection& of, unsigned size) {
        while (of.first != none && size >= pieces_[of.first].size) {
            size -= pieces_[of.first].size;
            drop_first(of);
        }
        if (of.first != none) {
            pieces_[of.first].offset += size;
            pieces_[of.first].size -= size;
        }
    }

    void complete(const io_uring_cqe& cqe) {
        const unsigned slot = slot_of(cqe);
        switch (kind_of(cqe)) {
            case kind::receive:
                received(slot, cqe);
                break;
            case kind::waiting:
                waited(slot, cqe.res);
                break;
            case kind::accept:
                if (cqe.res >= 0) {
                    connections_[static_cast<unsigned>(cqe.res)] = {};
                    supply(2);
                    receive(static_cast<unsigned>(cqe.res));
                }
                accepting_ = (cqe.flags & IORING_CQE_F_MORE) != 0;
                if (!accepting_ && cqe.res >= 0) {
                    accept();
                }
                break;
            case kind::stop:
                stopping_ = true;
                break;
            case kind::issued:
            case kind::ignored:
                break;
        }
    }

    void received(unsigned slot, const io_uring_cqe& cqe) {
        connection& of = connections_[slot];
        if (cqe.res > 0) {
            const unsigned id = cqe.flags >> IORING_CQE_BUFFER_SHIFT;
            --free_;
            pieces_[id].offset = 0;
            pieces_[id].size = static_cast<unsigned>(cqe.res);
            append(of, id);
            make_due(slot);
        }
        if ((cqe.flags & IORING_CQE_F_MORE) != 0) {
            return;
        }
        if (cqe.res > 0) {
            receive(slot);
        } else if (cqe.res == -ENOBUFS) {
            starved_.push_back(slot);
        } else {
            of.ended = true;
            make_due(slot);
        }
    }

    // The send that waited has ended: its piece has gone, or the peer has.
    void waited(unsigned slot, int result) {
        connection& of = connections_[slot];
        of.answer = connection::state::idle;
        drop_first(of);
        while (result < 0 && of.first != none) {
            drop_first(of);
        }
        if (of.first != none) {
            send_waiting(slot);
        } else if (of.ended) {
            make_due(slot);
        }
    }

    // Sends what has come, or closes what has ended.
    void answer(unsigned slot) {
        connection& of = connections_[slot];
        if (of.answer != connection::state::idle) {
            if (of.answer == connection::state::issued) {
                make_due(slot);
            }
            return;
        }
        if (of.first == none) {
            if (of.ended) {
                drop(slot);
            }
            return;
        }
        io_uring_sqe* const sqe = ring_.entry();
        constexpr int flags = MSG_WAITALL | MSG_DONTWAIT | MSG_NOSIGNAL;
        if (pieces_[of.first].next == none) {
            of.issued = 1;
            prepare_send(sqe, slot, flags);
        } else {
            io_uring_prep_sendmsg(sqe, static_cast<int>(slot), gather(of), flags);
        }
        sqe->flags |= IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS;
        sqe->user_data = tagged(kind::issued, slot);
        issued_.push_back(slot);
        of.answer = connection::state::issued;
        if (of.ended || of.issued == parts_max) {
            make_due(slot);
        }
    }

    // The front of what is to be sent as one message; it stays valid until the next settle().
    const msghdr* gather(connection& of) {
        if (messages_used_ == messages_.size()) {
            messages_.emplace_back();
        }
        message& out = messages_[messages_used_++];
        of.issued = 0;
        for (unsigned id = of.first; id != none && of.issued < parts_max; id = pieces_[id].next) {
            out.parts[of.issued++] = {.iov_base = buffers_.at(id) + pieces_[id].offset,
                                      .iov_len = pieces_[id].size};
        }
        out.head.msg_iov = out.parts.data();
        out.head.msg_iovlen = of.issued;
        return &out.head;
    }

    void send_waiting(unsigned slot) {
        connections_[slot].answer = connection::state::waiting;
        io_uring_sqe* const sqe = ring_.entry();
        prepare_send(sqe, slot, MSG_WAITALL | MSG_NOSIGNAL);
        sqe->flags |= IOSQE_FIXED_FILE;
        sqe->user_data = tagged(kind::waiting, slot);
    }

    void prepare_send(io_uring_sqe* sqe, unsigned slot, int flags) {
        const unsigned id = connections_[slot].first;
        io_uring_prep_send(sqe, static_cast<int>(slot), buffers_.at(id) + pieces_[id].offset,
                           pieces_[id].size, flags);
    }

    void receive(unsigned slot) {
        io_uring_sqe* const sqe = ring_.entry();
        io_uring_prep_recv_multishot(sqe, static_cast<int>(slot), nullptr, 0, 0);
        sqe->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
        sqe->buf_group = buffer_ring::group;
        sqe->user_data = tagged(kind::receive, slot);
    }

    void accept() {
        io_uring_sqe* const sqe = ring_.entry();
        io_uring_prep_multishot_accept_direct(sqe, listener_, nullptr, nullptr, 0);
        sqe->user_data = tagged(kind::accept, 0);
        accepting_ = true;
    }

    void drop(unsigned slot) {
        connections_[slot] = {};
        io_uring_sqe* const sqe = ring_.entry();
        io_uring_prep_close_direct(sqe, slot);
        sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
        sqe->user_data = tagged(kind::ignored, slot);
        if (!accepting_) {
            accept();
        }
    }

    void append(connection& of, unsigned id) {
        pieces_[id].next = none;
        if (of.first == none) {
            of.first = id;
        } else {
            pieces_[of.last].next = id;
        }
        of.last = id;
    }

    static unsigned affordable(std::size_t buffer_bytes) {
        const std::size_t count = buffers_bytes_max / buffer_bytes;
        return std::clamp(static_cast<unsigned>(std::bit_floor(count)), buffers_min, buffers_max);
    }

    // So many buffers that were never used, as far as there are any.
    void supply(unsigned count) {
        for (; count > 0 && supplied_ < buffers_.count(); --count, ++free_) {
            buffers_.put_back(supplied_++);
        }
    }

    // The first piece is done with; the kernel may have its buffer again.
    void drop_first(connection& of) {
        buffers_.put_back(of.first);
        of.first = pieces_[of.first].next;
        ++free_;
    }

    void make_due(unsigned slot) {
        if (!connections_[slot].queued) {
            connections_[slot].queued = true;
            due_.push_back(slot);
        }
    }

    server_job& job_;
    unsigned slots_;
    ring ring_;
    buffer_ring buffers_;
    std::vector<connection> connections_;
    std::vector<piece> pieces_;     // by buffer
    std::vector<unsigned> issued_;  // connections that the next submission answers
    std::deque<message> messages_;  // for those of several pieces; the first ones are in use
    std::size_t messages_used_ = 0;
    std::vector<unsigned> due_;  // connections with something to send or to end
    std::vector<unsigned> still_due_;
    std::vector<unsigned> starved_;  // connections whose receive found no buffer
    unsigned supplied_ = 0;          // buffers that are in use at all
    unsigned free_ = 0;              // of these, the ones that the kernel may pick
    int listener_;
    bool accepting_ = false;
    bool stopping_ = false;
};

}  // namespace

void serve_liburing_multishot(server_job& job) { multishot_server(job).run(); }

}  // namespace echo
