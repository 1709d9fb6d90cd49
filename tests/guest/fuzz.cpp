// What this is: a fuzzer. The first domain builds pairs of unprivileged domains out of its own image; these throw seeded random
// hypercalls, page-table writes and instructions at the hypervisor from all of their vCPUs, until they have done enough or have killed
// themselves. Their death is fine. The hypervisor must live, every frame must come back, the parent's memory must be as it was.
//
// Run with: smp=2 limit=90 arguments="seeds=1-24"
#include "fuzz/calls.hpp"
#include "fuzz/code.hpp"
#include "fuzz/meddle.hpp"
#include "fuzz/values.hpp"
#include "lib/check.hpp"
#include "lib/clock.hpp"
#include "lib/event.hpp"
#include "lib/trap.hpp"

using namespace guest;
using namespace guest::fuzz;

namespace {

// The child.

alignas(page_size) char entry_stacks[vcpus_max][2 * page_size];
u64 recovery[vcpus_max];
char* rooms[vcpus_max]; ///< arguments: a page with nothing behind it
char* codes[vcpus_max];

u32 which_vcpu()
{
    u64 at = number(__builtin_frame_address(0)) - number(entry_stacks);
    return at < sizeof entry_stacks ? static_cast<u32>(at / sizeof *entry_stacks) : this_vcpu();
}

bool on_trap(Frame& frame)
{
    if (frame.vector == callback_event) {
        auto& info = *vcpu_infos[which_vcpu()];
        info.evtchn_upcall_pending = 0;
        for (u64& word : shared->evtchn_pending)
            word = 0;
        return true;
    }
    frame.rip = number(fuzz_resume);
    frame.rsp = recovery[which_vcpu()];
    if (!frame.rsp) { // of a vCPU that another one started
        frame.rip = number(+[] {
            for (;;)
                sched_op(SCHEDOP_yield);
        });
        frame.rsp = number(entry_stacks[which_vcpu()]) + page_size;
    }
    frame.cs = flat_kernel_cs;
    frame.ss = flat_ss;
    frame.rflags = 0x202;
    return true;
}

/// Fills a page like a page table of some level, makes it read-only, pins it.
void build_table(Dice& dice)
{
    char* page = dice.page();
    auto entries = reinterpret_cast<u64*>(page);
    make_rw(page);
    memset(page, 0, page_size);
    u32 level = static_cast<u32>(1 + dice.below(4));
    for (u64 n = dice.below(12); n; n--)
        entries[dice.one_in(2) ? dice.below(8) : dice.below(512)] =
            dice.one_in(20) ? dice.entry() : phys_to_machine[pfn_of(dice.page())] << page_shift | (dice.one_in(2) ? pte_ro : pte_rw);
    if (level == 4 && dice.one_in(2))
        entries[511] = phys_to_machine[Replica::l3] << page_shift | pte_table;
    if (dice.one_in(4))
        entries[dice.below(512)] = phys_to_machine[pfn_of(page)] << page_shift | (dice.one_in(2) ? pte_ro : pte_rw);
    make_ro(page);
    mmuext(MMUEXT_PIN_L1_TABLE + level - 1, phys_to_machine[pfn_of(page)]);
}

/// What it takes to come back from user mode.
void repair(u32 vcpu)
{
    hypercall(__HYPERVISOR_stack_switch, flat_ss, number(entry_stacks[vcpu + 1]));
    mmuext(MMUEXT_NEW_BASEPTR, phys_to_machine[Replica::l4]);
    mmuext(MMUEXT_NEW_USER_BASEPTR, phys_to_machine[Replica::l4]);
}

void act(Dice& dice, u32 vcpu)
{
    Calls calls{dice, reinterpret_cast<u64*>(rooms[vcpu]), vcpu};
    switch (dice.below(16)) {
    case 0:
    case 1: return build_table(dice);
    case 2: make_ro(dice.page()); return;
    case 3: make_rw(dice.page()); return;
    case 4: *reinterpret_cast<volatile u64*>(dice.address()) = dice.entry(); return;
    case 5:
    case 6: {
        bool in_user_mode = !dice.one_in(4);
        if (in_user_mode && !dice.one_in(64))
            repair(vcpu);
        return Code{dice, reinterpret_cast<u8*>(codes[vcpu]), number(entry_stacks[vcpu]) + page_size, in_user_mode}.run();
    }
    case 7:
        if (dice.one_in(4)) {
            install_traps();
            repair(vcpu);
            update_va_mapping(windows[0], grant_frame << page_shift | pte_rw);
        }
        return;
    default:
        calls.any();
        if (!dice.one_in(16)) { // what it did to the ways out of a trap is undone before one is needed
            install_traps();
            hypercall(__HYPERVISOR_stack_switch, flat_ss, number(entry_stacks[vcpu + 1]));
        }
        return;
    }
}

struct Step {
    Dice* dice;
    u32 vcpu;
};

[[noreturn]] void fuzz_vcpu(void* argument)
{
    u32 vcpu = static_cast<u32>(number(argument));
    volatile u64* words = words_of_parent();
    Dice dice{words[Word::seed] * 0x9e3779b97f4a7c15 + vcpu * 0xd1b54a32d192ed03 + 1};
    repair(vcpu);
    for (u64 n = 0; n < words[Word::actions_wanted]; n++) {
        Step step{&dice, vcpu};
        fuzz_catch([](void* s) { act(*static_cast<Step*>(s)->dice, static_cast<Step*>(s)->vcpu); }, &step, &recovery[vcpu]);
        words[Word::progress + vcpu] = n;
    }
    words[Word::all_done] = 1;
    shut_down(SHUTDOWN_poweroff);
}

[[noreturn]] void run_as_child()
{
    volatile u64* words = words_of_parent();
    play = static_cast<char*>(take_pages(play_pages));
    for (u32 v = 0; v < vcpus_max; v++) {
        rooms[v] = static_cast<char*>(take_pages(2));
        update_va_mapping(number(rooms[v] + page_size), 0);
        codes[v] = static_cast<char*>(take_pages(2));
        update_va_mapping(number(codes[v] + page_size), 0);
    }
    for (u64& va : windows)
        va = take_empty_va();
    const u64 others[] = {words[Word::parents_frame],
                          words[Word::siblings_frame],
                          words[Word::siblings_frame] + 1,
                          words[Word::parents_frame] + 1,
                          0x1000,
                          0x200,
                          words[Word::parents_frame],
                          words[Word::siblings_frame]};
    for (u32 i = 0; i < 8; i++)
        other_frames[i] = others[i];
    gnttab_setup_table setup{DOMID_SELF, 1, 0, number(&grant_frame)};
    grant_op(GNTTABOP_setup_table, &setup, 1);
    update_va_mapping(windows[0], grant_frame << page_shift | pte_rw);
    mmuext(MMUEXT_NEW_USER_BASEPTR, phys_to_machine[Replica::l4]);
    for (auto& hook : trap_hooks)
        hook = on_trap;
    bind_virq(VIRQ_TIMER, 0);
    for (u64 v = 1; v < words[Word::vcpus]; v++)
        start_vcpu(static_cast<u32>(v), fuzz_vcpu, reinterpret_cast<void*>(v));
    fuzz_vcpu(nullptr);
}

// The parent.

constexpr u32 canaries = 16;
u64* canary;

void check_canaries()
{
    for (u32 i = 0; i < canaries * page_size / 8; i++)
        if (canary[i] != (i ^ 0x5eedf00d5eedf00d))
            give_up("the parent's memory changed at word %u: %lx", i, canary[i]);
}

struct Tally {
    u64 actions, finished, crashed, stopped;
} tally;

Replica pair[2];

bool is_over(Replica& r) { return r.info().flags & (XEN_DOMINF_shutdown | XEN_DOMINF_dying); }

u64 progress_of(Replica& r)
{
    u64 sum = 0;
    for (u32 v = 0; v < vcpus_max; v++)
        if (u64 n = r.words[Word::progress + v]; n < 1'000'000) // the child may write anything there
            sum += n;
    return sum;
}

void wait_for(Replica* pair, u64 seed)
{
    Meddler meddler(seed);
    const bool meddles = seed / 2 % 3 == 0; // many domains do not survive it long
    u64 seen[2] = {}, since[2] = {now(), now()};
    bool over[2] = {};
    while (!over[0] || !over[1])
        for (u32 i = 0; i < 2; i++) {
            sched_op(SCHEDOP_yield);
            if (over[i])
                continue;
            if (meddles)
                meddler.act(pair[i]);
            u64 at = progress_of(pair[i]);
            if (at != seen[i])
                seen[i] = at, since[i] = now();
            over[i] = is_over(pair[i]);
            if (!over[i] && now() - since[i] > 150_ms) {
                over[i] = true; // it loops, waits for nothing, or has taken itself apart
                tally.stopped++;
            } else if (over[i])
                (pair[i].words[Word::all_done] ? tally.finished : tally.crashed)++;
        }
    tally.actions += seen[0] + seen[1];
}

void run_pair(u64 first_seed, u64 vcpus, u64 actions)
{
    for (Replica& r : pair)
        if (long rc = r.create(static_cast<u32>(vcpus)); rc || (rc = r.build()))
            give_up("no replica: %ld", rc);
    for (u32 i = 0; i < 2; i++) {
        volatile u64* words = pair[i].words;
        words[Word::seed] = first_seed + i;
        words[Word::vcpus] = vcpus;
        words[Word::sibling] = pair[1 - i].id;
        words[Word::parents_frame] = mfn_of(canary);
        words[Word::siblings_frame] = pair[1 - i].frames[Replica::image_pfn + 60];
        words[Word::actions_wanted] = actions;
    }
    for (Replica& r : pair)
        r.start();
    wait_for(pair, first_seed);
    for (Replica& r : pair)
        if (long rc = r.destroy())
            give_up("seed %lu: destroy: %ld", first_seed, rc);
}

/// Domains are gone, and frames are back: all but the tables of the hypervisor's heap, which takes new addresses before it uses old
/// ones again.
void wait_until_gone(u64 free_at_least, u64 seed)
{
    auto all_gone = [] {
        long rc[2];
        pair[0].info(&rc[0]), pair[1].info(&rc[1]);
        return rc[0] == -XEN_ESRCH && rc[1] == -XEN_ESRCH;
    };
    for (u64 end = now() + 5000_ms; free_pages() < free_at_least || !all_gone();) {
        sched_op(SCHEDOP_yield);
        if (now() > end)
            give_up("seed %lu: %lu pages free, want %lu; domains gone: %u", seed, free_pages(), free_at_least, all_gone());
    }
}

u64 parse(const char*& text)
{
    u64 n = 0;
    for (; *text >= '0' && *text <= '9'; text++)
        n = n * 10 + static_cast<u64>(*text - '0');
    return n;
}

u64 option(const char* name, u64 otherwise)
{
    const char* text = argument(name);
    return text ? parse(text) : otherwise;
}

} // namespace

void guest::test()
{
    if (!(boot_info->flags & SIF_INITDOMAIN))
        run_as_child();
    if (!on_tenon())
        return skip("Xen keeps more for dead domains than this accounts for");
    const char* range = argument("seeds");
    u64 first = 1, last = 2;
    if (range) {
        first = parse(range);
        last = *range == '-' ? parse(++range) : first + 1;
    }
    u64 vcpus = option("vcpus", 0), actions = option("actions", 2000);
    canary = static_cast<u64*>(take_pages(canaries));
    for (u32 i = 0; i < canaries * page_size / 8; i++)
        canary[i] = i ^ 0x5eedf00d5eedf00d;
    u64 free_before = 0;
    for (u64 seed = first; seed <= last; seed += 2) {
        if (option("talk", 0))
            print("seed %lu: %lu actions so far, %lu finished, %lu crashed, %lu stopped, %lu free\n", seed, tally.actions, tally.finished,
                  tally.crashed, tally.stopped, free_pages());
        u64 n = vcpus ? vcpus : 1 + (seed / 2) % vcpus_max;
        for (u64 again = 0; again < option("again", 1); again++)
            run_pair(seed, n, actions);
        if (seed == first) { // what the first pair left in caches and tables of the hypervisor's stays
            for (u64 end = now() + 1000_ms; now() < end;)
                sched_op(SCHEDOP_yield);
            free_before = free_pages();
        }
        wait_until_gone(free_before - 2 - (seed - first) / 12, seed);
        check_canaries();
    }
    print("%lu actions, %lu domains finished, %lu crashed, %lu stopped\n", tally.actions, tally.finished, tally.crashed, tally.stopped);
    CHECK(tally.actions > 1000);
}
