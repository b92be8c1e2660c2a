// Echo on Boost.Asio as it comes: on epoll.
#include "asio_echo.hpp"

namespace echo {

void serve_asio_epoll(server_job& job) { asio_server(job).run(); }

}  // namespace echo
