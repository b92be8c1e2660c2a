// Echo on Boost.Asio in the way that it is fastest: callbacks, an executor of a concrete type, a
// concurrency hint of 1. Compiled twice, into two programs: for epoll and for io_uring.
#pragma once

#include <unistd.h>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/write.hpp>
#include <list>
#include <memory>
#include <utility>

#include "server.hpp"

namespace echo {

namespace asio = boost::asio;
using asio_executor = asio::io_context::executor_type;
using asio_socket = asio::basic_stream_socket<asio::ip::tcp, asio_executor>;
using asio_acceptor = asio::basic_socket_acceptor<asio::ip::tcp, asio_executor>;
using asio_descriptor = asio::posix::basic_stream_descriptor<asio_executor>;

class asio_session {
  public:
    asio_session(asio_socket socket, std::size_t buffer_bytes)
        : socket_(std::move(socket)),
          size_(buffer_bytes),
          buffer_(std::make_unique_for_overwrite<char[]>(size_)) {}

    void start(std::list<asio_session>& all, std::list<asio_session>::iterator self) {
        all_ = &all;
        self_ = self;
        read();
    }

  private:
    void read() {
        socket_.async_read_some(asio::buffer(buffer_.get(), size_),
                                [this](boost::system::error_code error, std::size_t count) {
                                    if (error) {
                                        all_->erase(self_);
                                    } else {
                                        write(count);
                                    }
                                });
    }

    void write(std::size_t count) {
        asio::async_write(socket_, asio::buffer(buffer_.get(), count),
                          [this](boost::system::error_code error, std::size_t /*count*/) {
                              if (error) {
                                  all_->erase(self_);
                              } else {
                                  read();
                              }
                          });
    }

    asio_socket socket_;
    std::size_t size_;
    std::unique_ptr<char[]> buffer_;
    std::list<asio_session>* all_ = nullptr;
    std::list<asio_session>::iterator self_;
};

class asio_server {
  public:
    explicit asio_server(server_job& job)
        : job_(job),
          acceptor_(context_.get_executor(), asio::ip::tcp::v4(), ::dup(job.listen(0))),
          stop_(context_.get_executor(), ::dup(job.stop_fd())) {
        stop_.async_wait(asio_descriptor::wait_read,
                         [this](boost::system::error_code /*error*/) { context_.stop(); });
        accept();
    }

    void run() {
        job_.ready();
        context_.run();
    }

  private:
    void accept() {
        acceptor_.async_accept([this](boost::system::error_code error, asio_socket socket) {
            if (!error) {
                sessions_.emplace_front(std::move(socket), job_.buffer_bytes());
                sessions_.front().start(sessions_, sessions_.begin());
            }
            accept();
        });
    }

    server_job& job_;
    asio::io_context context_{1};
    std::list<asio_session> sessions_;
    asio_acceptor acceptor_;
    asio_descriptor stop_;
};

}  // namespace echo
