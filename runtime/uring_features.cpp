#include "detail/uring_features.hpp"

#include <memory>

#include "uring_compat.hpp"

namespace weir::detail {

io_features features_of(io_uring& ring, const ring_setup& granted) {
    struct free_probe {
        void operator()(io_uring_probe* probe) const noexcept { io_uring_free_probe(probe); }
    };
    const std::unique_ptr<io_uring_probe, free_probe> probe(io_uring_get_probe_ring(&ring));
    const auto knows = [&probe](int opcode) {
        return probe != nullptr && io_uring_opcode_supported(probe.get(), opcode) != 0;
    };
    io_features found;
    found.silent = (granted.features & IORING_FEAT_CQE_SKIP) != 0;
    found.accept_multishot = knows(IORING_OP_SOCKET);
    found.receive_multishot = found.accept_multishot && knows(IORING_OP_SEND_ZC);
    found.bundles =
        found.receive_multishot && (granted.features & IORING_FEAT_RECVSEND_BUNDLE) != 0;
    found.zero_copy = knows(IORING_OP_SEND_ZC);
    return found;
}

}  // namespace weir::detail
