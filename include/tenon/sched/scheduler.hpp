// Picks, switches, wakes. The switch itself is arch::switch_to; who runs next is FairPolicy's choice. See docs/scheduling.md.
#pragma once
#include <tenon/domain/domain.hpp>

namespace tenon::scheduler {

bool init(unsigned cpus);
/// Registers the idle vCPU of a CPU as its current one; it runs when nothing else can.
void set_idle(CpuId cpu, Vcpu& idle);
/// Gives a new vCPU a home CPU and full affinity.
void add(Vcpu& vcpu);
/// The vCPU is on no CPU and not runnable.
void remove(Vcpu& vcpu);
/// The vCPU became runnable.
void wake(Vcpu& vcpu);
/// The vCPU may no longer run: it leaves its queue, and the CPU that holds its state decides anew.
void poke(Vcpu& vcpu);
/// Decides which vCPU runs next on this CPU and switches; returns when the caller's vCPU runs again. Until then, as long as
/// nobody else needs the CPU, it halts in place: to wake again costs no switch.
void schedule();
/// The first thing on the new stack after a switch: `prev` may now run elsewhere.
void finish_switch(Vcpu& prev);
/// True when this CPU should call schedule() on its way into the guest.
bool should_schedule(CpuId cpu);
void request(CpuId cpu);
/// The current vCPU gives way once: to others of this CPU, else to one of its own domain that waits for another CPU.
void yield_current();
/// Error::inval when no online CPU is in the set.
Status set_affinity(Vcpu& vcpu, const CpuSet& hard);
struct Params {
    u16 weight, cap;
};
void set_params(Domain& domain, Params params);

} // namespace tenon::scheduler
