// Type references on frames: the heart of PV safety. A page-table type is taken only under the owner's mm_lock; the writable type
// may be taken from anywhere. See docs/memory.md for the states of a frame.
#pragma once
#include "../mm/pte.hpp"
#include <tenon/domain/domain.hpp>
#include <tenon/mm/frame_table.hpp>

namespace tenon::x86::pv {

/// Taken for RW mappings, grants, plain writes. Error::inval while the frame is anything else.
Status get_writable(Frame& frame);
/// `mapped`: translations may linger, so the next change of type needs a flush.
void put_writable(Frame& frame, bool mapped = true);

/// Takes a page-table type, validating the table if nobody did. Error::restart: position saved, call again.
/// The caller holds a general reference. `domain` owns the frame; its mm_lock is held.
Status get_table(Domain& domain, Frame& frame, unsigned level);
/// Drops it; the last one releases what the entries hold. Error::restart: the reference is still held, call again.
Status put_table(Domain& domain, Frame& frame);
/// A descriptor table (GDT, LDT): every entry is made harmless or refused.
Status get_descriptors(Frame& frame);
void put_descriptors(Frame& frame);

/// Checks an entry a guest wants at `level` and takes the references it will hold; adjusts its bits. `from` owns the frame
/// that a level-1 entry maps. Nothing is taken on error.
Status take_entry(Domain& domain, Pte& entry, unsigned level, DomainId from);
/// Drops what a (former) entry held. Error::restart for level > 1 only: the reference is still held, call again.
Status drop_entry(Domain& domain, Pte entry, unsigned level);

/// A partially validated table that nobody works on: releases what it holds. Part of destruction and of retyping.
Status release_partial(Domain& domain, Frame& frame);

/// Finishes a release that an earlier call of this vCPU could not. `tables` is the domain whose mm_lock is held: the control domain
/// working on another's tables does not stop half-way, so that nothing is ever left under the wrong lock.
Status finish_deferred(Vcpu& vcpu, Domain& tables);

/// True when the frame may be mapped as device memory by a domain with hardware.
bool may_map_device(const Domain& domain, Mfn mfn);
/// Boot: frames of devices that Tenon drives itself are never given to anyone.
void forbid_device(Mfn first, u64 count);

} // namespace tenon::x86::pv
