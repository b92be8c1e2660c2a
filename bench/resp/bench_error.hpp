// What goes wrong while measuring: the server, a client or a reply, named in the text.
#pragma once

#include <stdexcept>

namespace resp {

class bench_error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

}  // namespace resp
