// vm_assist: optional behaviour that a guest switches on for itself.
#include "argument.hpp"
#include <abi/mmu.h>

namespace tenon::hypercall {

CallResult vm_assist(Call& call, u32 command, u32 type)
{
    // 4gb_segments and pae_extended_cr3 mean nothing to a 64-bit guest, which asks for them all the same; page tables are always
    // writable through emulation.
    constexpr u64 known = bit(VMASST_TYPE_4gb_segments) | bit(VMASST_TYPE_writable_pagetables) | bit(VMASST_TYPE_pae_extended_cr3) |
                          bit(VMASST_TYPE_runstate_update_flag) | bit(VMASST_TYPE_m2p_strict);
    Error refusal = command != VMASST_CMD_enable && command != VMASST_CMD_disable ? Error::nosys : Error::inval;
    if (refusal == Error::nosys || type >= 64 || !(known & bit(type)))
        return refuse(call, type, refusal);
    std::atomic_ref assists(call.domain.vm_assist);
    command == VMASST_CMD_enable ? assists.fetch_or(bit(type)) : assists.fetch_and(~bit(type));
    return s64{0};
}

} // namespace tenon::hypercall
