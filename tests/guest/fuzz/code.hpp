// What this is: random instructions, mostly those that trap into the hypervisor, run in kernel or in user mode with random registers.
#pragma once

#include "../lib/trap.hpp"
#include "values.hpp"

// fuzz_catch(function, argument, slot): runs it; a trap ends it, by way of fuzz_resume with the stack pointer from *slot.
// fuzz_enter(registers, code): loads rax, rbx, rcx, rdx, rsi, rbp, r8-r15, flags, rdi from the list; never comes back but by a trap.
asm(R"(
    .text
    .globl fuzz_catch, fuzz_resume, fuzz_enter
fuzz_catch:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    push %rdx
    mov %rsp, (%rdx)
    mov %rdi, %rax
    mov %rsi, %rdi
    call *%rax
fuzz_resume:
    pop %rdx
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
fuzz_enter:
    push %rsi
    pushq 120(%rdi)
    mov 0(%rdi), %rax
    mov 8(%rdi), %rbx
    mov 16(%rdi), %rcx
    mov 24(%rdi), %rdx
    mov 32(%rdi), %rsi
    mov 40(%rdi), %rbp
    mov 48(%rdi), %r8
    mov 56(%rdi), %r9
    mov 64(%rdi), %r10
    mov 72(%rdi), %r11
    mov 80(%rdi), %r12
    mov 88(%rdi), %r13
    mov 96(%rdi), %r14
    mov 104(%rdi), %r15
    mov 112(%rdi), %rdi
    popfq
    ret
)");
extern "C" void fuzz_catch(void (*function)(void*), void* argument, guest::u64* slot);
extern "C" [[noreturn]] void fuzz_enter(const guest::u64* registers, const void* code);
extern "C" char fuzz_resume[];

namespace guest::fuzz {

class Code {
public:
    /// `page`: executable and writable, with nothing behind it.
    Code(Dice& dice, u8* page, u64 stack, bool runs_in_user_mode)
        : dice(dice), page(page), stack(stack), runs_in_user_mode(runs_in_user_mode)
    {}

    void run()
    {
        u8* begin = page + (dice.one_in(8) ? page_size - 1 - dice.below(12) : dice.below(2048));
        at_ = begin;
        for (u64 n = 1 + dice.below(3); n; n--)
            instruction();
        emit(0x0f), emit(0x0b); // ud2 ends it
        spare_emulator(begin);
        u64 registers[16];
        for (u64& r : registers)
            r = dice.value();
        if (dice.one_in(4))
            registers[2] = dice.below(5); // rcx: short repetitions
        registers[2] = dice.one_in(3) ? dice.of(0xc0000080, 0xc0000081, 0xc0000100, 0xc0000101, 0xc0000102, 0xc0000103, 0x10, 0x1b, 0x277,
                                                0x1d9, 0x8b, 0x79, 0x174, 0x176, 0x48, 0x49)
                                      : registers[2];
        if (dice.one_in(2))
            registers[3] =
                dice.of(0x20, 0x21, 0x40, 0x43, 0x60, 0x64, 0x70, 0x71, 0xcf8, 0xcfc, 0x3f8, 0xcf9, 0xffff, 0xfffe, 0x80); // rdx: a port
        registers[15] = 2 | (dice.one_in(3) ? dice.roll() & 0x254fd5 : dice.one_in(8) ? flag_tf : 0);
        if (!runs_in_user_mode)
            fuzz_enter(registers, begin);
        Frame frame{};
        auto words = reinterpret_cast<u64*>(&frame);
        for (u32 i = 0; i < 16; i++)
            words[i] = registers[i];
        frame.rip = dice.one_in(12) ? dice.address() : number(begin);
        frame.cs = dice.one_in(6) ? dice.of(0xe023, 0xe019, 0, 3, 0xffff, dice.roll() & 0xffff) : flat_cs;
        frame.ss = dice.one_in(6) ? dice.of(0, 3, 0xe02b, 0xe028, 0xffff, dice.roll() & 0xffff) : flat_ss;
        frame.rflags = registers[15] | (dice.one_in(4) ? dice.roll() : 0);
        frame.rsp = dice.one_in(16) ? dice.address() : stack; // also where the fault of a refused frame is delivered
        // iret_flags is shared by all vCPUs: another's value is as good.
        iret_flags = dice.of(0, 0, 0x100, dice.roll());
        enter_frame(&frame);
    }

private:
    /// QEMU 7.2 aborts when it translates BT, BTS, BTR or BTC of a register with LOCK.
    void spare_emulator(u8* begin)
    {
        for (u8* at = begin; at + 2 < at_; at++)
            if (at[0] == 0x0f && (at[1] == 0xa3 || at[1] == 0xab || at[1] == 0xb3 || at[1] == 0xbb || at[1] == 0xba) && at[2] >= 0xc0)
                at[2] &= 0x3f;
    }

    Dice& dice;
    u8* page;
    u64 stack;
    bool runs_in_user_mode;
    u8* at_ = nullptr;

    void emit(u64 byte)
    {
        if (at_ < page + page_size)
            *at_++ = static_cast<u8>(byte);
    }

    void operand()
    {
        u8 modrm = static_cast<u8>(dice.roll());
        if (dice.one_in(2))
            modrm = (modrm & 0x38) | static_cast<u8>(dice.of(0, 1, 2, 3, 6, 7)); // plain [register]
        if (!runs_in_user_mode && (modrm & 7) == 4 && !dice.one_in(16))
            modrm ^= 1; // a kernel without its stack does not live long
        if (!runs_in_user_mode && (modrm & 0x38) == 0x20 && !dice.one_in(16))
            modrm ^= 8;
        emit(modrm);
    }

    void instruction()
    {
        for (u64 n = dice.one_in(3) ? dice.below(4) : 0; n; n--)
            emit(dice.of(0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65));
        if (dice.one_in(2))
            emit(0x40 | (dice.one_in(2) ? 8 : dice.below(16)));
        switch (dice.below(10)) {
        case 0: // ports, flags, far transfers
            emit(dice.of(0x6c, 0x6d, 0x6e, 0x6f, 0xe4, 0xe5, 0xe6, 0xe7, 0xec, 0xed, 0xee, 0xef, 0xf4, 0xfa, 0xfb, 0x9c, 0x9d, 0xcf, 0xcb,
                         0xca, 0xf1, 0xcc, 0xcd, 0xce, 0x06, 0xd6, 0x9a, 0xea));
            break;
        case 1: // stores that page tables are written by
        case 2:
            emit(dice.of(0x88, 0x89, 0x86, 0x87, 0x08, 0x09, 0x20, 0x21, 0x30, 0x31, 0xc6, 0xc7, 0x80, 0x81, 0x83, 0x00, 0x01, 0x8f, 0xff,
                         0xa4, 0xa5, 0xaa, 0xab, 0x8c, 0x8e, 0x63));
            operand();
            break;
        case 3:
            emit(0x0f), emit(dice.of(0xb0, 0xb1, 0xc0, 0xc1, 0xab, 0xb3, 0xbb, 0xba, 0xc3, 0xc7, 0xae, 0x7f, 0x11, 0x29, 0xe7, 0x02, 0x03,
                                     0xb2, 0xb4, 0xb5));
            operand();
            break;
        case 4:
            emit(0x0f), emit(dice.of(0x05, 0x06, 0x07, 0x08, 0x09, 0x0b, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0xa2, 0x77, 0xa0, 0xa1, 0xa8,
                                     0xa9, 0xaa, 0x37));
            break;
        case 5:
            emit(0x0f), emit(dice.of(0x00, 0x01, 0x01, 0x01, 0x20, 0x21, 0x22, 0x23, 0x0d, 0x18, 0xae, 0xc7));
            one_of_group_7() ? void() : operand();
            break;
        case 6: // SYSCALL with a hypercall number that is harmless, and into anything
            emit(0xb8), emit(dice.of(17, 29, 24, 1, 26, 23, dice.below(64))), emit(0), emit(0), emit(0);
            emit(0x0f), emit(dice.of(0x05, 0x05, 0x34));
            break;
        case 7: // ud2; "xen"; cpuid, and cut short
            for (u8 byte : {0x0f, 0x0b, 0x78, 0x65, 0x6e, 0x0f, 0xa2})
                if (!dice.one_in(12))
                    emit(byte);
            break;
        case 8:
            emit(0x0f), emit(0x38), emit(dice.of(0x80, 0x81, 0x82, 0xf0, 0xf1, 0xf6, 0xf9));
            operand();
            break;
        default: emit(dice.roll()), operand();
        }
        for (u64 n = dice.below(6); n; n--)
            emit(dice.one_in(2) ? dice.below(16) : dice.roll());
    }

    bool one_of_group_7()
    {
        if (!dice.one_in(3))
            return false;
        emit(dice.of(0xd0, 0xd1, 0xf8, 0xf9, 0xca, 0xcb, 0xc8, 0xc9, 0xc1, 0xd9, 0xee, 0xef, 0xd8, 0xdd));
        return true;
    }
};

} // namespace guest::fuzz
