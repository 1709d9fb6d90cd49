// dom0's memory while it is built: runs of consecutive frames for consecutive pfns.
#pragma once
#include <tenon/domain/domain.hpp>

namespace tenon::x86::dom0 {

class Memory {
  public:
    /// Takes `pages` frames in blocks as large as there are; false when memory ran out first.
    bool take(Domain& domain, u64 pages);
    Mfn operator[](u64 pfn) const;
    u64 pages() const { return pages_; }
    void copy_in(u64 pfn, const u8* from, u64 bytes, u64 offset = 0) const; ///< offset: bytes behind the pfn's start

  private:
    struct Run {
        u64 pfn, mfn;
    };
    static constexpr unsigned capacity = 1024;
    Run runs_[capacity];
    unsigned count_ = 0;
    u64 pages_ = 0;
};

} // namespace tenon::x86::dom0
