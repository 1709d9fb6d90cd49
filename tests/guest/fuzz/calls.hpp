// What this is: all kinds of hypercalls that are nearly right, and some that make no sense.
#pragma once

#include "memory_calls.hpp"

namespace guest::fuzz {

class Calls : MemoryCalls {
public:
    using MemoryCalls::MemoryCalls;

    void any()
    {
        switch (dice.below(32)) {
        case 0:
        case 1:
        case 2:
        case 3: return mmu_updates();
        case 4:
        case 5:
        case 6: return mmuext_ops();
        case 7:
        case 8:
        case 9: return va_mapping();
        case 10:
        case 11:
        case 12: return memory();
        case 13:
        case 14:
        case 15: return grants();
        case 16:
        case 17: return events();
        case 18: return vcpu_ops();
        case 19: return scheduling();
        case 20: return descriptors();
        case 21: return callbacks();
        case 22: return debug_registers();
        case 23: return physdev_ops();
        case 24: return multicall();
        case 25: return control();
        case 26: return small_calls();
        case 27: return version();
        default: return nonsense();
        }
    }

private:
    void events()
    {
        u32 command = static_cast<u32>(dice.one_in(8) ? dice.below(40) : dice.below(13));
        if (command == EVTCHNOP_reset && !dice.one_in(8))
            command = EVTCHNOP_alloc_unbound;
        auto x = structure<u32>(8);
        if (whole(32)) {
            for (u32 i = 0; i < 6; i++)
                x[i] = static_cast<u32>(dice.one_in(8) ? dice.value() : dice.one_in(3) ? dice.vcpu() : dice.port());
            switch (command) {
            case EVTCHNOP_alloc_unbound: x[0] = static_cast<u32>(dice.domain() | dice.domain() << 16); break;
            case EVTCHNOP_bind_interdomain:
            case EVTCHNOP_status: x[0] = static_cast<u32>(dice.domain()); break;
            case EVTCHNOP_bind_virq:
                x[0] = static_cast<u32>(dice.one_in(4) ? dice.value() : dice.below(24)), x[1] = static_cast<u32>(dice.vcpu());
                break;
            case EVTCHNOP_bind_pirq: x[0] = static_cast<u32>(dice.one_in(2) ? dice.value() : dice.below(40)); break;
            }
        }
        call(__HYPERVISOR_event_channel_op, command, pass(x, 24));
    }

    void vcpu_ops()
    {
        u32 command =
            static_cast<u32>(dice.one_in(30) ? dice.below(18) : dice.of(0, 1, 1, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 10, 11, 12, 13, 13));
        u64 who = dice.vcpu();
        if (command == VCPUOP_initialise) {
            static vcpu_guest_context context[vcpus_max];
            auto& c = context[vcpu];
            fill_context(
                c, static_cast<u32>(who & 3),
                [](void*) {
                    for (;;)
                        sched_op(SCHEDOP_yield);
                },
                nullptr);
            auto words = reinterpret_cast<u64*>(&c) + 64;
            for (u32 i = 0; i < dice.below(4); i++)
                words[dice.below((sizeof c - 512) / 8)] = dice.value();
            for (u32 i = 0; i < dice.below(3); i++)
                (&c.ldt_base)[dice.below(40)] = dice.value();
            return call(__HYPERVISOR_vcpu_op, command, who, dice.one_in(16) ? dice.address() : number(&c));
        }
        auto x = structure<u64>(4);
        if (whole(32)) {
            for (u32 i = 0; i < 4; i++)
                x[i] = dice.value();
            if (command == VCPUOP_register_vcpu_info)
                *reinterpret_cast<vcpu_register_vcpu_info*>(x) = {dice.frame(),
                                                                  static_cast<u32>(dice.one_in(2) ? dice.value() : dice.below(60) * 64), 0};
            else if (command == VCPUOP_set_periodic_timer)
                x[0] = dice.one_in(2) ? 20000000 : dice.value();
            else if (command == VCPUOP_register_runstate_memory_area || command == VCPUOP_register_vcpu_time_memory_area)
                x[0] = dice.address();
        }
        call(__HYPERVISOR_vcpu_op, command, who, pass(x, 24));
    }

    void scheduling()
    {
        hypercall(__HYPERVISOR_set_timer_op, 1); // something ends a wait
        switch (dice.below(6)) {
        case 0: return call(__HYPERVISOR_sched_op, SCHEDOP_yield);
        case 1: return call(__HYPERVISOR_set_timer_op, dice.value());
        case 2: {
            auto x = structure<sched_poll>();
            for (u32 i = 0; i < 16; i++)
                reinterpret_cast<u32*>(room)[i] = static_cast<u32>(dice.port());
            if (whole(sizeof *x))
                *x = {dice.one_in(6) ? dice.address() : number(room), static_cast<u32>(dice.one_in(4) ? dice.value() : dice.below(16)),
                      dice.one_in(60) ? dice.value() | 1 : 1};
            return call(__HYPERVISOR_sched_op, SCHEDOP_poll, pass(x, sizeof *x));
        }
        case 3: {
            auto x = structure<u32>(4);
            if (whole(16))
                x[0] = static_cast<u32>(dice.domain()), x[1] = static_cast<u32>(dice.value());
            return call(__HYPERVISOR_sched_op, dice.of(4, 5, 6, 7, 8, 9, 100), pass(x, 12));
        }
        case 4:
            return dice.one_in(400) ? call(__HYPERVISOR_sched_op, SCHEDOP_shutdown, number(room))
                                    : call(__HYPERVISOR_sched_op, dice.value() | 16);
        default: return dice.one_in(60) ? call(__HYPERVISOR_sched_op, SCHEDOP_block) : call(__HYPERVISOR_sched_op, SCHEDOP_yield);
        }
    }

    void descriptors()
    {
        u64 descriptor = dice.one_in(2) ? dice.roll()
                                        : dice.of(0, 0x00affb000000ffff, 0x00cff3000000ffff, 0x00cffb000000ffff, 0x0000ec0000000000,
                                                  0x0000890000000067, 0x00008200ffff0000, 0x00cf9b000000ffff);
        switch (dice.below(5)) {
        case 0: {
            for (u32 i = 0; i < 16; i++)
                room[i] = dice.frame();
            return dice.one_in(3) ? call(__HYPERVISOR_set_gdt, dice.one_in(8) ? dice.address() : number(room),
                                         dice.of(0, 1, 512, 513, 1024, 7168, 7169, 8192, 0xffffffff))
                                  : void();
        }
        case 1: return call(__HYPERVISOR_update_descriptor, dice.frame() << page_shift | dice.below(page_size), descriptor);
        default:
            return call(__HYPERVISOR_update_descriptor, phys_to_machine[pfn_of(dice.page())] << page_shift | (dice.below(512) * 8),
                        descriptor);
        }
    }

    void callbacks()
    {
        if (dice.one_in(2)) {
            auto x = structure<callback_register>();
            if (whole(sizeof *x))
                *x = {static_cast<u16>(dice.below(9)), static_cast<u16>(dice.below(4)),
                      dice.one_in(4) ? dice.address() : stub_address(dice.of(callback_event, callback_failsafe, callback_syscall))};
            return call(__HYPERVISOR_callback_op, dice.one_in(4) ? 1 : 0, pass(x, sizeof *x));
        }
        if (dice.one_in(8)) {
            auto x = structure<trap_info>(8);
            if (whole(sizeof *x * 8))
                for (u32 i = 0; i < 7; i++)
                    x[i] = {static_cast<u8>(dice.roll()), static_cast<u8>(dice.roll()),
                            static_cast<u16>(dice.one_in(2) ? flat_cs : dice.roll()), dice.one_in(2) ? dice.address() : stub_address(3)};
            return call(__HYPERVISOR_set_trap_table, pass(x, sizeof *x * 8));
        }
        if (dice.one_in(4))
            return call(__HYPERVISOR_nmi_op, dice.below(3), dice.one_in(2) ? dice.address() : number(room));
        call(__HYPERVISOR_stack_switch, dice.one_in(2) ? flat_ss : dice.value(), dice.address());
    }

    void debug_registers()
    {
        u64 value = dice.one_in(3)   ? dice.address()
                    : dice.one_in(3) ? dice.roll() & 0xffffffff
                                     : dice.of(0, 0x401, 0x455, 0xd0401, 0x402, 0x2400, 0x20000401, 0xffff0ff0, 0x2000, 0x100, 0xf0155);
        dice.one_in(6) ? call(__HYPERVISOR_get_debugreg, dice.value())
                       : call(__HYPERVISOR_set_debugreg, dice.one_in(6) ? dice.value() : dice.below(8), value);
    }

    void physdev_ops()
    {
        auto x = structure<u64>(6);
        if (whole(48))
            for (u32 i = 0; i < 12; i++)
                reinterpret_cast<u32*>(x)[i] = static_cast<u32>(dice.one_in(3) ? dice.value() : dice.below(32));
        if (dice.one_in(4) && whole(48))
            x[0] = dice.address();
        call(__HYPERVISOR_physdev_op, dice.one_in(4) ? dice.value() : dice.below(33), pass(x, 48));
    }

    void multicall()
    {
        if (inside_multicall)
            return version();
        inside_multicall = true;
        static multicall_entry lists[vcpus_max][8];
        auto list = lists[vcpu];
        u32 count = 1 + static_cast<u32>(dice.below(5));
        for (u32 i = 0; i < count; i++) {
            recorded = {};
            any();
            list[i] = {recorded.nr,
                       dice.one_in(8) ? dice.value() : 0,
                       {recorded.a[0], recorded.a[1], recorded.a[2], recorded.a[3], recorded.a[4], 0}};
            if (dice.one_in(20))
                list[i] = {
                    dice.of(__HYPERVISOR_iret, __HYPERVISOR_multicall, 63, 64, ~0ul, 1ul << 32), 0, {number(list), count, 0, 0, 0, 0}};
        }
        inside_multicall = false;
        call(__HYPERVISOR_multicall, dice.one_in(16) ? dice.address() : number(list), dice.one_in(30) ? dice.value() : count);
    }

    void control()
    {
        auto x = structure<u64>(16);
        if (whole(128)) {
            for (u32 i = 1; i < 16; i++)
                x[i] = dice.one_in(3) ? dice.domain() : dice.value();
            x[0] = dice.below(90) | (dice.one_in(4) ? dice.value() : dice.of(0x15, 0x14, 0x03000000)) << 32;
        }
        u64 nr = dice.of(__HYPERVISOR_domctl, __HYPERVISOR_sysctl, __HYPERVISOR_platform_op, __HYPERVISOR_mca, __HYPERVISOR_xsm_op,
                         __HYPERVISOR_hvm_op, __HYPERVISOR_kexec_op, __HYPERVISOR_xenpmu_op, __HYPERVISOR_dm_op, __HYPERVISOR_hypfs_op,
                         __HYPERVISOR_tmem_op, __HYPERVISOR_argo_op, __HYPERVISOR_xenoprof_op);
        dice.one_in(2) ? call(nr, pass(x, 128), dice.value(), dice.value())
                       : call(nr, dice.below(40), pass(x, 128), dice.value(), dice.value());
    }

    void small_calls()
    {
        switch (dice.below(5)) {
        case 0: return call(__HYPERVISOR_fpu_taskswitch, dice.below(3));
        case 1: return call(__HYPERVISOR_vm_assist, dice.below(3), dice.one_in(4) ? dice.value() : dice.below(8));
        case 2:
            return call(__HYPERVISOR_set_segment_base, dice.one_in(6) ? dice.value() : dice.below(4),
                        dice.one_in(2) ? dice.address() : dice.value());
        case 3:
            return call(__HYPERVISOR_set_callbacks, dice.one_in(2) ? dice.address() : stub_address(callback_event),
                        stub_address(callback_failsafe), stub_address(callback_syscall));
        default: return call(__HYPERVISOR_console_io, dice.of(1, 1, 2, 3), dice.below(64), dice.address());
        }
    }

    void version() { call(__HYPERVISOR_xen_version, dice.below(14), dice.one_in(3) ? dice.address() : number(room)); }

    void nonsense()
    {
        for (u32 i = 0; i < 64; i++)
            room[i] = dice.value();
        auto argument = [&] { return dice.one_in(2) ? number(room) : dice.one_in(2) ? dice.value() : dice.below(32); };
        u64 nr = dice.one_in(8) ? dice.value() : dice.below(64);
        if (nr == __HYPERVISOR_iret || nr == __HYPERVISOR_set_trap_table || nr == __HYPERVISOR_sched_op ||
            nr == __HYPERVISOR_sched_op_compat)
            return version();
        call(nr, dice.below(32), argument(), dice.one_in(2) ? dice.below(4) : argument(), argument(), argument());
    }
};

} // namespace guest::fuzz
