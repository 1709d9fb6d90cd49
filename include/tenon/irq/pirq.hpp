// A domain's physical interrupts: which device line or message each pirq number stands for, and which port it goes to. Pirqs of GSIs
// have the GSI's number where the guest asks for it; those of messages are given from the top.
#pragma once
#include <tenon/device/pci.hpp>
#include <tenon/sync/spinlock.hpp>

namespace tenon {

struct Domain;

/// What a number stands for.
struct PirqEntry {
    static constexpr Vector reserved{1}; ///< an exception's: never a line's
    Vector vector{};                     ///< its line's; 0: nothing
    bool is_bound = false;               ///< to an event channel, which the line knows

    bool is_free() const { return vector == Vector{}; }
    bool has_line() const { return vector > reserved; }
};

struct PirqTable : Pinned {
    static constexpr unsigned limit = 1024;
    SpinLock<Rank::pirq> lock;
    PirqEntry entries[limit];
};

namespace pirqs {

/// Messages of a PCI function that a guest asks for.
struct MsiRequest {
    pci::Function function;
    unsigned count = 1; ///< plain MSI: 1-32
    u32 entry = 0;      ///< MSI-X
    u64 table_base = 0; ///< MSI-X: BAR that holds the table; 0: plain MSI
};

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
/// Gives everything back; the domain is dying.
void release_all(Domain& domain);

} // namespace pirqs
} // namespace tenon
