// What this is: two-level event channels from the guest's side: wrappers for the operations, the upcall
// handler that counts what arrives, and the masking dance of a PV kernel.
#pragma once

#include "abi.hpp"
#include "hypercall.hpp"
#include "runtime.hpp"

namespace guest {

extern volatile u32 upcalls;          ///< upcalls taken, all vCPUs
extern volatile u32 port_count[4096]; ///< deliveries per port
extern u32 (*port_handler)(u32 port); ///< called for each delivery when set

void install_event_counter(); ///< from now on upcalls are counted instead of being unexpected traps
void handle_events(vcpu_info& info);

// Each returns the port, or a negative error.
long bind_virq(u32 virq, u32 vcpu = 0);
long bind_ipi(u32 vcpu = 0);
long alloc_unbound(u16 remote = DOMID_SELF, u16 domain = DOMID_SELF);
long bind_interdomain(u16 domain, u32 port);
// 0 or a negative error.
long close_port(u32 port);
long send(u32 port);
long unmask_by_call(u32 port);
long bind_vcpu(u32 port, u32 vcpu);
evtchn_status status_of(u32 port, u16 domain = DOMID_SELF);

inline bool test_bit(const u64* map, u32 bit) { return reinterpret_cast<const volatile u64*>(map)[bit / 64] >> (bit % 64) & 1; }
inline void set_bit(u64* map, u32 bit) { asm volatile("lock btsq %1, %0" : "+m"(*map) : "r"(u64{bit}) : "memory", "cc"); }
inline void clear_bit(u64* map, u32 bit) { asm volatile("lock btrq %1, %0" : "+m"(*map) : "r"(u64{bit}) : "memory", "cc"); }
inline bool is_pending(u32 port) { return test_bit(shared->evtchn_pending, port); }
inline void mask_port(u32 port) { set_bit(shared->evtchn_mask, port); }
inline void unmask_port(u32 port) ///< the bit alone: does not raise what became pending meanwhile
{
    clear_bit(shared->evtchn_mask, port);
}

inline void mask_upcalls(vcpu_info* info = vcpu0)
{
    *const_cast<volatile u8*>(&info->evtchn_upcall_mask) = 1;
    barrier();
}
/// As a kernel does it: the store, then a hypercall that only matters for what happens on its way out.
inline void unmask_upcalls(vcpu_info* info = vcpu0)
{
    barrier();
    *const_cast<volatile u8*>(&info->evtchn_upcall_mask) = 0;
    barrier();
    if (*const_cast<volatile u8*>(&info->evtchn_upcall_pending))
        xen_version(0);
}

} // namespace guest
