// Shared by the hypercall tests: a machine with a control domain and a guest, calls by number, and answers to what the
// architecture is asked. The answers are weak: a test replaces one by defining it.
#pragma once
#include <abi/hypercall.h>
#include <cstring>
#include <fake/machine.hpp>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <tenon/arch/cpu.hpp>
#include <tenon/arch/cpuid.hpp>
#include <tenon/arch/guest.hpp>
#include <tenon/arch/machine.hpp>
#include <tenon/arch/memory.hpp>
#include <tenon/device/acpi.hpp>
#include <tenon/hypercall/arch_calls.hpp>
#include <tenon/hypercall/table.hpp>
#include <tenon/mm/frame_allocator.hpp>
#include <tenon/sched/scheduler.hpp>
#include <vector>

#define WEAK [[gnu::weak]]

namespace tenon {

/// What the architecture was asked, and what it shall say.
struct ArchRecord {
    std::map<const Domain*, std::vector<xen_e820_entry>> maps;
    std::map<const Domain*, std::vector<xen_cpuid_leaf>> policies;
    vcpu_guest_context context{};
    unsigned contexts_set = 0;
    Mfn hypercall_page = invalid_mfn;
    arch::EfiInfo efi;
    unsigned slept = 0;
    unsigned restarts = 0; ///< how often mmuext_op still wants to restart
    std::vector<std::string> calls;
};
inline ArchRecord record;

namespace hypercall {
#define ANSWER(name, ...)                      \
    WEAK CallResult name(Call&, ##__VA_ARGS__) \
    {                                          \
        record.calls.push_back(#name);         \
        return s64{0};                         \
    }
ANSWER(set_trap_table, u64)
ANSWER(mmu_update, u64, u32, u64, u32)
ANSWER(set_gdt, u64, u32)
ANSWER(stack_switch, u64, u64)
ANSWER(fpu_taskswitch, u32)
ANSWER(set_debugreg, u32, u64)
ANSWER(get_debugreg, u32)
ANSWER(update_descriptor, u64, u64)
ANSWER(update_va_mapping, u64, u64, u64)
ANSWER(update_va_mapping_otherdomain, u64, u64, u64, u32)
ANSWER(set_segment_base, u32, u64)
ANSWER(callback_op, u32, u64)
ANSWER(set_timer_op, u64)
ANSWER(event_channel_op, u32, u64)
ANSWER(grant_table_op, u32, u64, u32)
ANSWER(vm_assist, u32, u32)
ANSWER(vcpu_op, u32, u32, u64)
ANSWER(sched_op, u32, u64)
ANSWER(physdev_op, u32, u64)
WEAK CallResult mmuext_op(Call& call, u64, u32 count, u64, u32)
{
    record.calls.push_back("mmuext_op");
    if (!record.restarts)
        return s64{0};
    record.restarts--;
    return call.restart_with(1, count - 1);
}
WEAK u64 enter_mmu_update(u64 list, u64 count, u64 done_at, Vcpu& vcpu, u64 arg4, u64 domid)
{
    return enter_call<mmu_update, __HYPERVISOR_mmu_update>(list, count, done_at, vcpu, arg4, domid);
}
WEAK u64 enter_update_va_mapping(u64 va, u64 pte, u64 flags, Vcpu& vcpu, u64 arg4, u64 arg3)
{
    return enter_call<update_va_mapping, __HYPERVISOR_update_va_mapping>(va, pte, flags, vcpu, arg4, arg3);
}
} // namespace hypercall

namespace arch {
WEAK Status create_domain(Domain&) { return success; }
WEAK void destroy_domain(Domain&) {}
WEAK Status create_vcpu(Vcpu&) { return success; }
WEAK void destroy_vcpu(Vcpu&) {}
WEAK Status relinquish(Domain&) { return success; }
WEAK void switch_to(Vcpu&, Vcpu&) {}
WEAK Result<vcpu_info*> map_vcpu_info(Vcpu&, Mfn, u32) { return Error::inval; }
WEAK void unmap_vcpu_info(Vcpu&, Mfn) {}
WEAK Status set_vcpu_context(Vcpu& vcpu, const vcpu_guest_context& context)
{
    record.context = context;
    record.contexts_set++;
    vcpu.initialised = true;
    return success;
}
WEAK void get_vcpu_context(Vcpu&, vcpu_guest_context& context) { context = record.context; }
WEAK Status write_hypercall_page(Domain&, Mfn frame)
{
    record.hypercall_page = frame;
    return success;
}
WEAK std::span<const xen_e820_entry> memory_map(const Domain& domain) { return record.maps[&domain]; }
WEAK Status set_memory_map(Domain& domain, std::span<const xen_e820_entry> entries)
{
    record.maps[&domain].assign(entries.begin(), entries.end());
    return success;
}
WEAK std::span<const xen_e820_entry> machine_memory_map()
{
    static const xen_e820_entry map[] = {
        {0, 0x9f000, XEN_E820_RAM}, {0x100000, 0x1000000, XEN_E820_RAM}, {0xfec00000, 0x1000, XEN_E820_RESERVED}};
    return map;
}
WEAK Mfn m2p_frame(u64 piece) { return Mfn{0x100 + piece}; }
WEAK const ProcessorInfo& processor_info()
{
    static const ProcessorInfo info{.threads_per_core = 1, .cores_per_socket = 2, .khz = 2'000'000};
    return info;
}
WEAK CpuPlace cpu_place(CpuId cpu) { return {.core = cpu.raw(), .socket = 0, .apic_id = cpu.raw() * 2, .acpi_id = cpu.raw() + 1}; }
WEAK const EfiInfo& efi_info() { return record.efi; }
WEAK u8 keyboard_shift_flags() { return 0x20; }
WEAK std::span<const u8> build_id()
{
    static const u8 id[] = {1, 2, 3, 4};
    return id;
}
WEAK unsigned cpu_policy_leaves(PolicyIndex) { return 3; }
WEAK xen_cpuid_leaf cpu_policy_leaf(PolicyIndex, unsigned index)
{
    static const xen_cpuid_leaf leaves[] = {
        {0, XEN_CPUID_NO_SUBLEAF, 7, 0, 0, 0}, {1, XEN_CPUID_NO_SUBLEAF, 0x11, 0x12, 0x13, 0x14}, {7, 0, 0x71, 0x72, 0x73, 0x74}};
    return leaves[index];
}
WEAK unsigned domain_policy_leaves(const Domain&) { return 3; }
WEAK xen_cpuid_leaf domain_policy_leaf(const Domain&, unsigned i) { return cpu_policy_leaf(PolicyIndex::pv_default, i); }
WEAK Status set_domain_policy(Domain& domain, std::span<const xen_cpuid_leaf> leaves, PolicyError& where)
{
    for (const auto& leaf : leaves)
        if (leaf.leaf == 0xbad) {
            where = {leaf.leaf, leaf.subleaf};
            return Error::inval;
        }
    record.policies[&domain].assign(leaves.begin(), leaves.end());
    return success;
}
WEAK bool get_writable(Frame& frame, u32) { return !is_page_table(frame.type_word().type()); }
WEAK void put_writable(Frame&, bool, u32) {}
WEAK void power_off() {}
WEAK void reboot(bool) {}
WEAK GuestClock clock_snapshot() { return {}; }
} // namespace arch

// Interrupts and grants have tests of their own.
namespace pirqs {
WEAK Status init(Domain&) { return success; }
WEAK Status bind(Domain&, Pirq, u32, u32) { return success; }
WEAK void unbind(Domain&, Pirq) {}
WEAK void set_target_cpu(Domain&, Pirq, CpuId) {}
WEAK void release_all(Domain&) {}
} // namespace pirqs
namespace grants {
WEAK Status init(Domain& domain, u32 max_frames, u32)
{
    domain.grants.max_frames = max_frames;
    return success;
}
WEAK Result<Mfn> shared_frame(Domain& domain, u32) { return domain.shared.mfn; }
WEAK Status unmap_all(Domain&) { return success; }
WEAK void free_tables(Domain&) {}
} // namespace grants

namespace acpi {
WEAK Status enter_sleep(u32, u32, u32, bool)
{
    record.slept++;
    return Error::io;
}
} // namespace acpi

/// dom0 with one vCPU is the caller; dom 1 with two is there to be worked on.
/// Runs a call as a multicall does. The result is what the guest's register would hold, or Error::restart with the new arguments in
/// `call`.
inline CallResult dispatch(Call& call)
{
    Vcpu& vcpu = call.vcpu;
    if (call.number >= ABI_HYPERCALL_COUNT) { // the entry code's own case
        note_refused(call, 0, Error::nosys);
        return Error::nosys;
    }
    vcpu.calls[call.number]++;
    vcpu.repeat_into = &call;
    const u64 result = call_entries[call.number](call.args[0], call.args[1], call.args[2], vcpu, call.args[4], call.args[3]);
    const bool again = !std::exchange(vcpu.repeat_into, nullptr);
    return again ? CallResult(Error::restart) : CallResult(s64(result));
}

struct HypercallTest : testing::Test {
    HypercallTest()
    {
        record = {};
        fake::reset(2);
        fake::make_memory(1 << 13, 1 << 13);
        static bool is_ready = scheduler::init(2) && timers::init(2); // once: nothing takes their tables back
        EXPECT_TRUE(is_ready);
        dom0 = make_domain(dom0_id, 1, true);
        guest = make_domain(DomainId{1}, 2, false);
        become(*dom0);
        fake::take_log();
    }
    ~HypercallTest() override
    {
        fake::set_current(nullptr);
        for (DomainRef* ref : {&guest, &dom0}) {
            if (*ref)
                for (Status s = Error::restart; !s.ok() && s.error() == Error::restart;)
                    s = domains::destroy(**ref);
            *ref = DomainRef();
        }
        domains::reap();
        EXPECT_EQ(fake::open_views(), 0);
    }
    static DomainRef make_domain(DomainId id, u32 vcpus, bool privileged)
    {
        domains::CreateParams params;
        params.id = id;
        params.max_vcpus = vcpus;
        params.is_privileged = privileged;
        auto made = domains::create(params);
        EXPECT_TRUE(made.ok()) << int(made.error());
        EXPECT_TRUE(domains::create_vcpus(**made).ok());
        return std::move(*made);
    }
    void become(Domain& domain)
    {
        caller = domain.vcpu(0);
        fake::set_current(caller);
    }
    /// The result as the guest sees it; a call that wants to restart is executed again.
    template <class... A> s64 call(u32 number, A... arguments)
    {
        Call c{*caller, caller->domain, number, {u64(arguments)...}};
        for (restarts = 0;; restarts++) {
            auto result = dispatch(c);
            if (result.ok() || result.error() != Error::restart)
                return to_register(result);
        }
    }
    /// Host memory that the guest may use, until the end of the test.
    template <class T> u64 share(T& object)
    {
        windows.push_back(std::make_unique<fake::GuestWindow>(&object, sizeof object));
        return reinterpret_cast<u64>(&object);
    }
    template <class T> u64 share(std::vector<T>& list)
    {
        windows.push_back(std::make_unique<fake::GuestWindow>(list.data(), list.size() * sizeof(T)));
        return reinterpret_cast<u64>(list.data());
    }

    DomainRef dom0, guest;
    Vcpu* caller = nullptr;
    unsigned restarts = 0;
    std::vector<std::unique_ptr<fake::GuestWindow>> windows;
};

constexpr s64 failure(Error error) { return -s64(error); }

} // namespace tenon
