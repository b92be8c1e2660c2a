// What goes wrong while measuring: a server, a client or a reply, named in the text.
#pragma once

#include <stdexcept>

namespace bench {

class bench_error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

}  // namespace bench
