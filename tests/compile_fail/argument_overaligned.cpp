// expect: aligned more strictly than operator new aligns
// Jobs and coroutine frames are recycled blocks of ordinary alignment.
#include <weir/pool/pool.hpp>

#ifdef FIXED
struct alignas(16) matrix {
#else
struct alignas(64) matrix {
#endif
    float at[16];
};

float first(const matrix& m) { return m.at[0]; }

weir::task<float> run_first(weir::pool& p) {
    matrix m{};
    co_return co_await p.run(first, m);
}
