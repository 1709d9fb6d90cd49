// What FrameView resolves to: the running domain's own map, or a window of the running vCPU.
#include "../cpu/per_cpu.hpp"
#include "own_map.hpp"
#include "paging.hpp"
#include <tenon/arch/memory.hpp>
#include <tenon/domain/domain.hpp>
#include <tenon/log.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86 {

namespace {

/// Where the windows of the vCPU on whose stack we are begin, and their level-1 entries.
u64 window_address(const StackInfo& info, unsigned window)
{
    return align_down(u64(&info), vcpu_area_size) + private_distance + (private_windows + window) * page_size;
}
Pte& window_entry(const StackInfo& info, unsigned window)
{
    return reinterpret_cast<Pte*>(align_down(u64(&info), vcpu_area_size) + private_distance +
                                  private_table * page_size)[private_windows + window];
}

} // namespace

/// Not the running domain's: a grant, a domain that it builds or ends, a frame that nobody owns yet.
[[gnu::noinline]] void* open_window(Mfn mfn)
{
    if (boot_map_is_there) [[unlikely]]
        return own_frame(mfn);
    StackInfo& info = stack_info();
    const unsigned window = info.windows++;
    ASSERT(window < window_count);
    window_entry(info, window) = Pte::of(mfn, data_flags); // there was nothing, which no TLB remembers
    return reinterpret_cast<void*>(window_address(info, window));
}

/// Views nest: the last one opened is closed first.
void close_window(const void* at)
{
    StackInfo& info = stack_info();
    window_entry(info, --info.windows) = {};
    invalidate_page(u64(at));
}

} // namespace tenon::x86

namespace tenon::arch {

Status enter_own_map(Domain& domain, Mfn first, u64 count) { return domain.arch.own_map->add(first, count); }
void leave_own_map(Domain& domain, Mfn mfn) { domain.arch.own_map->remove(mfn); }

} // namespace tenon::arch
