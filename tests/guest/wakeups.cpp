// What this is: sleeping against waking. vCPUs, more than there are CPUs, pass tokens on and sleep in every way there is until
// they get one: blocked, polling a masked port, with a timer or without. A wake-up that is lost stops a token for good.
//
// Run with: smp=2 hypervisor="dom0_max_vcpus=6" limit=90 cases="pair idle crowd"
#include "lib/check.hpp"
#include "lib/clock.hpp"
#include "lib/event.hpp"
#include "lib/hypercall.hpp"
#include "lib/paging.hpp"
#include "lib/smp.hpp"
#include "lib/trap.hpp"

using namespace guest;

namespace {

constexpr u32 most_workers = 5, most_tokens = 3; ///< vCPU 0 watches
u32 workers = most_workers, tokens = most_tokens;
constexpr u64 wanted_hops = 20'000, patience = 20'000_ms;

enum Sleep : u32 { awake, blocked, polling };

struct Worker {
    u32 vcpu = 0;
    u32 bell = 0, kick = 0, timer = 0; ///< ports: an ordinary one, a masked one to poll, VIRQ_TIMER
    u64 seed = 0;
    void* table = nullptr; ///< to be pinned: a long call, with looks at what waits in between
    volatile u32 sleeps = awake;
    volatile u64 slept[4] = {};
};
Worker all[most_workers + 1];
volatile u32 holder[most_tokens];
volatile u64 hops;

void fence() { asm volatile("mfence" ::: "memory"); }

u32 random(Worker& w, u32 below)
{
    w.seed = w.seed * 6364136223846793005 + 1442695040888963407;
    return static_cast<u32>((w.seed >> 33) % below);
}

bool has_token(const Worker& w)
{
    for (u32 t = 0; t < tokens; t++)
        if (holder[t] == w.vcpu)
            return true;
    return false;
}

void arm(Worker& w, u64 ns)
{
    vcpu_set_singleshot_timer timer{now(vcpu_infos[w.vcpu]) + ns, 0};
    vcpu_op(VCPUOP_set_singleshot_timer, w.vcpu, &timer);
}

/// Until the time has come; nothing but the timer ends it.
void sleep_for(Worker& w, u64 ns)
{
    vcpu_info* info = vcpu_infos[w.vcpu];
    for (u64 end = now(info) + ns;;) {
        mask_upcalls(info);
        u64 at = now(info);
        if (at >= end)
            break;
        arm(w, end - at);
        sched_op(SCHEDOP_block);
    }
    unmask_upcalls(info);
}

void work(Worker& w)
{
    switch (random(w, 16)) {
    case 0: sleep_for(w, 1_us + random(w, 60'000)); break;
    case 1: mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(w.table)) == 0 && mmuext(MMUEXT_UNPIN_TABLE, mfn_of(w.table)); break;
    case 2: sched_op(SCHEDOP_yield); break;
    case 3: xen_version(0); break;
    case 4:
        for (u32 n = random(w, 500); n; n--)
            pause();
    }
}

/// As a kernel that idles: whoever comes after the last look sends an event.
void block(Worker& w)
{
    vcpu_info* info = vcpu_infos[w.vcpu];
    mask_upcalls(info);
    w.sleeps = blocked;
    fence();
    if (has_token(w))
        return unmask_upcalls(info);
    if (random(w, 4) == 0)
        arm(w, 1_us + random(w, 300'000));
    sched_op(SCHEDOP_block);
}

/// As a kernel that waits for a lock.
void poll(Worker& w)
{
    vcpu_info* info = vcpu_infos[w.vcpu];
    if (random(w, 2))
        mask_upcalls(info);
    w.sleeps = polling;
    fence();
    if (is_pending(w.kick))
        clear_bit(shared->evtchn_pending, w.kick);
    else if (!has_token(w)) {
        sched_poll op{number(&w.kick), 1, 0};
        if (random(w, 4) == 0)
            op.timeout = now(info) + random(w, 300'000);
        sched_op(SCHEDOP_poll, &op);
    }
    unmask_upcalls(info);
}

void worker(void* argument)
{
    Worker& w = *static_cast<Worker*>(argument);
    unmask_port(w.bell);
    unmask_port(w.timer);
    unmask_upcalls(vcpu_infos[w.vcpu]);
    for (;;) {
        for (u32 t = 0; t < tokens; t++) {
            if (holder[t] != w.vcpu)
                continue;
            work(w);
            Worker& next = all[1 + (w.vcpu + random(w, workers - 1)) % workers];
            __atomic_fetch_add(&hops, 1, __ATOMIC_SEQ_CST);
            holder[t] = next.vcpu;
            fence();
            u32 how = next.sleeps;
            next.slept[how] = next.slept[how] + 1;
            if (how != awake)
                send(how == blocked ? next.bell : next.kick);
        }
        random(w, 2) ? block(w) : poll(w);
        w.sleeps = awake;
    }
}

void tell()
{
    for (u32 t = 0; t < tokens; t++)
        print("token %u: vCPU %u\n", t, holder[t]);
    for (u32 v = 0; v <= workers; v++) {
        const Worker& w = all[v];
        const volatile vcpu_info& info = *vcpu_infos[w.vcpu];
        print("vCPU %u sleeps=%u upcall pending=%u masked=%u selector=%lx bell=%u kick=%u timer=%u\n", w.vcpu, w.sleeps,
              info.evtchn_upcall_pending, info.evtchn_upcall_mask, info.evtchn_pending_sel, is_pending(w.bell), is_pending(w.kick),
              is_pending(w.timer));
    }
}

} // namespace

void guest::test()
{
    const char* which = argument("case");
    if (strcmp(which, "pair") == 0)
        workers = 2;
    if (strcmp(which, "crowd") != 0)
        tokens = 1;
    install_event_counter();
    vcpu_op(VCPUOP_stop_periodic_timer, 0);
    mask_upcalls();
    for (u32 t = 0; t < tokens; t++)
        holder[t] = 1 + t;
    for (u32 v = 0; v <= workers; v++)
        all[v].vcpu = v;
    for (u32 v = 0; v <= workers; v++) {
        Worker& w = all[v];
        w.seed = read_tsc() + v;
        w.table = take_page();
        make_ro(w.table);
        w.bell = static_cast<u32>(bind_ipi(v));
        w.kick = static_cast<u32>(bind_ipi(v));
        w.timer = static_cast<u32>(bind_virq(VIRQ_TIMER, v));
        mask_port(w.kick); // ports begin unmasked: an upcall just before SCHEDOP_poll would take the event away
        if (v) {
            shared->vcpu_info[v].evtchn_upcall_mask = 1;
            REQUIRE_EQ(start_vcpu(v, worker, &w), 0);
        }
    }
    unmask_port(all[0].timer);
    u64 seen = 0, since = now(), worst = 0, start = since;
    while (hops < wanted_hops && now() < start + 60'000_ms) {
        sleep_for(all[0], 20_ms);
        if (u64 count = hops; count != seen) {
            seen = count;
            since = now();
        }
        worst = now() - since > worst ? now() - since : worst;
        if (now() > since + patience) {
            print("nothing moves after %lu hops\n", seen);
            tell();
            break;
        }
    }
    print("%lu hops in %lu ms, longest pause %lu ms\n", hops, (now() - start) / 1_ms, worst / 1_ms);
    for (const Worker& w : all)
        print("vCPU %u got a token awake %lu, blocked %lu, polling %lu times\n", w.vcpu, w.slept[0], w.slept[1], w.slept[2]);
    CHECK(now() < since + patience);
    CHECK(hops > 1000);
}
