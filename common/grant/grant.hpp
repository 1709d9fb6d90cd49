// Between the files of this folder and the hypercall: handles, single operations. Statuses are GNTST_* numbers.
#pragma once
#include <tenon/domain/domain.hpp>

namespace tenon::grants {

/// The entry is marked, but its frame is not to be had.
RARE_CALL s16 take_back(Domain& granter, u32 ref, bool write);

/// The domains of a batch: mostly the same one again and again.
class PeerCache : Pinned {
public:
    explicit PeerCache(Domain& self) : self_(self) {}
    /// nullptr when there is no such living domain.
    Domain* find(u16 id) { return id == dom_self.raw() || id == self_.id.raw() ? &self_ : find_other(id); }

private:
    [[gnu::noinline]] Domain* find_other(u16 id);
    Domain& self_;
    DomainRef last_;
};

struct Mapping {
    s16 status; ///< the rest is there when okay
    u32 handle = 0;
    Mfn mfn{};
};
Mapping map(Vcpu& vcpu, PeerCache& peers, const gnttab_map_grant_ref& op);

/// Unmapping in two steps: entries go and their handles are collected; after the flush the references go. So no granter believes
/// that it is over before all TLBs know.
class Unmapping : Pinned {
public:
    explicit Unmapping(Vcpu& vcpu) : vcpu_(vcpu) {}
    s16 clear(const gnttab_unmap_grant_ref& op);
    void finish();

private:
    Vcpu& vcpu_;
    u32 newest_ = ~0u;          ///< handle of the last mapping of which nothing is left; the others follow it
    MapTrack* ended_ = nullptr; ///< its record
};

s16 copy(Domain& domain, PeerCache& peers, const gnttab_copy& op);
s16 swap_entries(Domain& domain, u32 a, u32 b);

} // namespace tenon::grants
