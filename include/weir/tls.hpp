// Every public header of runtime/tls/: TLS streams over OpenSSL. Apart from <weir/runtime.hpp>,
// because weir may be built without it (the build option `tls`); installed only where it was not.
#pragma once

#include "runtime/tls/context.hpp"
#include "runtime/tls/engine.hpp"
#include "runtime/tls/errors.hpp"
#include "runtime/tls/stream.hpp"
