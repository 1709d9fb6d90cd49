// Between the files of this folder and the hypercall: entries, handles, single operations. Statuses are GNTST_* numbers.
#pragma once
#include <tenon/domain/domain.hpp>

namespace tenon::grants {

/// A granted frame in use. The holder has a reference of the frame, and of its writable type when `write`.
struct Use {
    Domain* granter = nullptr; ///< alive while the frame is referenced; the others say nothing without one
    u32 ref;
    bool write;
    Mfn mfn;
};
/// Checks the entry for `user`, marks it in use and takes the references.
s16 begin_use(Domain& granter, u32 ref, DomainId user, bool write, Use& use);
void end_use(const Use& use);

/// The domains of a batch: mostly the same one again and again.
class PeerCache : Pinned {
public:
    explicit PeerCache(Domain& self) : self_(self) {}
    /// nullptr when there is no such living domain.
    Domain* find(u16 id);

private:
    Domain& self_;
    DomainRef last_;
};

void map(Vcpu& vcpu, PeerCache& peers, gnttab_map_grant_ref& op);

/// An unmap in two steps: the entries go, then, after the flush, the references.
struct Unmap {
    u32 handle = 0;
    Use use;
    bool last = false; ///< nothing of the mapping is left: finish_unmap() has work
};
Unmap start_unmap(Vcpu& vcpu, gnttab_unmap_grant_ref& op);
void finish_unmap(Domain& domain, const Unmap& unmap);

s16 copy(Domain& domain, PeerCache& peers, const gnttab_copy& op);
s16 swap_entries(Domain& domain, u32 a, u32 b);

} // namespace tenon::grants
