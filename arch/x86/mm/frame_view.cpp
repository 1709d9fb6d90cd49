// What FrameView resolves to: the running domain's own map, or a window of the running vCPU.
#include "../cpu/per_cpu.hpp"
#include "own_map.hpp"
#include "paging.hpp"
#include "windows.hpp"
#include <tenon/arch/memory.hpp>
#include <tenon/domain/domain.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86 {

namespace {

/// Of the vCPU on whose stack we are: where its windows begin, and their level-1 entries.
u64 first_window(const StackInfo& info) { return align_down(u64(&info), vcpu_area_size) + private_distance + private_windows * page_size; }
Pte* window_entries(const StackInfo& info)
{
    return reinterpret_cast<Pte*>(align_down(u64(&info), vcpu_area_size) + private_distance + private_table * page_size) + private_windows;
}

} // namespace

/// Not the running domain's: a grant, a domain that it builds or ends, a frame that nobody owns yet.
[[gnu::noinline]] void* open_window(Mfn mfn)
{
    if (boot_map_is_there) [[unlikely]]
        return own_frame(mfn);
    StackInfo& info = stack_info();
    const unsigned window = windows::open(window_entries(info), info.windows, mfn);
    return reinterpret_cast<void*>(first_window(info) + window * page_size);
}

void close_window(const void* at)
{
    StackInfo& info = stack_info();
    windows::close(window_entries(info), info.windows);
    invalidate_page(u64(at));
}

} // namespace tenon::x86

namespace tenon::arch {

Status enter_own_map(Domain& domain, Mfn first, u64 count) { return domain.arch.own_map->add(first, count); }
void leave_own_map(Domain& domain, Mfn mfn) { domain.arch.own_map->remove(mfn); }

} // namespace tenon::arch
