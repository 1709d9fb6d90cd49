// A domain's physical interrupts: which device line or message each pirq number stands for, and which port it goes to. Pirqs of GSIs
// have the GSI's number where the guest asks for it; those of messages are given from the top.
#pragma once
#include <tenon/device/pci.hpp>
#include <tenon/sync/spinlock.hpp>

namespace tenon {

enum class PirqKind : u8 { none, reserved, gsi, msi };

struct PirqEntry {
    PirqKind kind = PirqKind::none;
    Vector vector{}; ///< its line, once mapped
    u32 port = 0;    ///< event channel, 0 not bound
    u32 gsi = 0;
    pci::Function function{}; ///< messages: whose
};

struct PirqTable : Pinned {
    static constexpr unsigned limit = 1024;
    SpinLock<Rank::pirq> lock;
    PirqEntry* entries = nullptr; ///< allocated for domains with devices only
};

namespace pirqs {

/// Messages of a PCI function that a guest asks for.
struct MsiRequest {
    pci::Function function;
    unsigned count = 1; ///< plain MSI: 1-32
    u16 entry = 0;      ///< MSI-X
    u64 table_base = 0; ///< MSI-X: BAR that holds the table; 0: plain MSI
};

/// Allocates the table; nothing happens when there is one.
Status init(Domain& domain);
/// Number of `wanted`, or any when it is negative. Mapping the same line again gives the same pirq.
Result<Pirq> map_gsi(Domain& domain, u32 gsi, s32 wanted);
/// First of `count` consecutive pirqs.
Result<Pirq> map_msi(Domain& domain, const MsiRequest& request, s32 wanted);
Status unmap(Domain& domain, Pirq pirq);
/// A number that no automatic mapping takes.
Result<Pirq> reserve(Domain& domain);

/// Called by events::bind_pirq and close: the line is routed and opened, or closed.
Status bind(Domain& domain, Pirq pirq, u32 port);
void unbind(Domain& domain, Pirq pirq);
/// The guest has served the interrupt.
Status eoi(Domain& domain, Pirq pirq);
/// True when the line stays blocked until eoi().
Result<bool> needs_eoi(Domain& domain, Pirq pirq);
/// Sends the pirq's interrupts to this CPU from now on.
void set_target_cpu(Domain& domain, Pirq pirq, CpuId cpu);
/// Programs the function's messages again.
Status restore_msi(Domain& domain, pci::Function function);
/// Gives everything back; the domain is dying.
void release_all(Domain& domain);

} // namespace pirqs
} // namespace tenon
