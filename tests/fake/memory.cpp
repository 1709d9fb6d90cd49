// Frames as pages of one memory object, which the fake heap window can map a second time, as the real one does.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fake/memory.hpp>
#include <map>
#include <mutex>
#include <new>
#include <set>
#include <sys/mman.h>
#include <tenon/arch/memory.hpp>
#include <tenon/mm/frame_allocator.hpp>
#include <unistd.h>
#include <vector>

namespace tenon::fake {
namespace {

u64 frame_count;
u8* bytes;
int object = -1;
u8* heap_window;
std::set<u64> heap_pages;
std::vector<u64> m2p;
std::map<u64, u64> guest_memory; // start -> bytes
std::mutex mutex;
std::atomic<u64> now{1}, flushes, newest, cleared;
std::atomic<int> views;
void (*flush_hook)();
std::map<u64, const Domain*> own_maps; // frame -> in whose map it is

[[noreturn]] void die(const char* what)
{
    std::fprintf(stderr, "fake: %s\n", what);
    std::abort();
}

void* reserve(u64 size, int protection, int fd)
{
    int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED | MAP_NORESERVE;
    void* p = mmap(nullptr, size, protection, flags, fd, 0);
    return p == MAP_FAILED ? (die("out of address space"), nullptr) : p;
}

} // namespace

void make_memory(u64 frames, u64 ram, bool empty)
{
    if (bytes) {
        munmap(bytes, frame_count * page_size);
        munmap(frame_table::base, frame_count * sizeof(Frame));
        munmap(heap_window, frame_count * page_size);
        close(object);
        heap_pages.clear();
        own_maps.clear();
    }
    frame_count = frames;
    object = memfd_create("machine", 0);
    if (object < 0 || ftruncate(object, off_t(frames * page_size)) != 0)
        die("no memory object");
    bytes = static_cast<u8*>(reserve(frames * page_size, PROT_READ | PROT_WRITE, object));
    heap_window = static_cast<u8*>(reserve(frames * page_size, PROT_NONE, -1));
    m2p.assign(frames, ~u64{0});
    frame_table::init(static_cast<Frame*>(reserve(frames * sizeof(Frame), PROT_READ | PROT_WRITE, -1)), frames);
    flushes = newest = cleared = 0;
    if (!empty)
        frame_allocator::add_range(Mfn{1}, ram - 1);
}

void audit_frames()
{
    for (auto [mfn, domain] : own_maps)
        if (frame_at(Mfn{mfn}).refs.load() == 0)
            die("a free frame is in a domain's map");
    u64 listed = 0, seen = 0;
    for (u64 mfn = 1; mfn < frame_table::end; mfn++) {
        Frame& frame = frame_at(Mfn{mfn});
        if (frame.owner == dom_invalid.raw()) {
            seen++;
            if (frame.refs.load() != 0)
                die("a free frame has references");
        }
        if (u64 type = frame.type; type & TypeWord::free_bit) {
            u64 frames = bit(unsigned(frame.type_word().count()));
            listed += frames;
            if (mfn % frames || (frame.next && (frame_at(Mfn{frame.next}).prev != mfn || frame_at(Mfn{frame.next}).type != type)) ||
                (frame.prev && frame_at(Mfn{frame.prev}).next != mfn))
                die("a free block is not in its list");
        }
    }
    if (u64 free = frame_allocator::stats().free; listed != free || seen != free)
        die("free frames were lost");
}

int largest_free_order()
{
    int best = -1;
    for (u64 mfn = 1; mfn < frame_table::end; mfn++)
        if (TypeWord word = frame_at(Mfn{mfn}).type_word(); word.raw & TypeWord::free_bit)
            best = max(best, int(word.count()));
    return best;
}

u8* frame_bytes(Mfn mfn) { return mfn.raw() < frame_count ? bytes + mfn.raw() * page_size : (die("frame out of range"), nullptr); }

u8* open_frame(Mfn mfn)
{
    views++;
    return frame_bytes(mfn);
}
void close_frame() { views--; }
int open_views() { return views; }
u64 tlb_flushes() { return flushes; }
u64 newest_flush() { return newest; }
void on_flush(void (*hook)()) { flush_hook = hook; }
u64 cleared_frames() { return cleared; }
u64 get_m2p(Mfn mfn) { return m2p.at(mfn.raw()); }

void add_guest_memory(void* start, u64 size)
{
    std::lock_guard lock(mutex);
    guest_memory[reinterpret_cast<u64>(start)] = size;
}
void remove_guest_memory(void* start)
{
    std::lock_guard lock(mutex);
    guest_memory.erase(reinterpret_cast<u64>(start));
}

/// How many bytes from `address` on can be accessed, at most `wanted`.
static u64 accessible(u64 address, u64 wanted)
{
    std::lock_guard lock(mutex);
    auto it = guest_memory.upper_bound(address);
    if (it == guest_memory.begin())
        return 0;
    --it;
    u64 end = it->first + it->second;
    return address < end ? min(wanted, end - address) : 0;
}

} // namespace tenon::fake

namespace tenon::arch {
using namespace fake;

void clear_frame(Mfn mfn)
{
    std::memset(frame_bytes(mfn), 0, page_size);
    cleared++;
}

u64 tlb_stamp() { return now++; }
u64 tlb_clock() { return now; }

void flush_tlb_older_than(u64 stamp, const CpuSet&)
{
    if (flush_hook)
        flush_hook();
    flushes++;
    u64 seen = newest;
    while (seen < stamp && !newest.compare_exchange_weak(seen, stamp))
        ;
}

Status enter_own_map(Domain& domain, Mfn first, u64 count)
{
    std::lock_guard lock(mutex);
    for (u64 mfn = first.raw(); mfn < first.raw() + count; mfn++)
        if (frame_at(Mfn{mfn}).owner_id() != dom_xen || !own_maps.emplace(mfn, &domain).second)
            die("a frame enters a second map, or has an owner before it is in its map");
    return success;
}
void leave_own_map(Domain& domain, Mfn mfn)
{
    std::lock_guard lock(mutex);
    auto it = own_maps.find(mfn.raw());
    if (it == own_maps.end() || it->second != &domain)
        die("a frame leaves a map where it is not");
    own_maps.erase(it);
}

Mfn hide_page(void* page)
{
    Mfn mfn = *frame_allocator::allocate(dom_xen, 0);
    std::memcpy(frame_bytes(mfn), page, page_size);
    std::memset(page, 0, page_size);
    return mfn;
}

void set_m2p(Mfn mfn, u64 pfn) { m2p.at(mfn.raw()) = pfn; }

bool guest_range_ok(GuestVa va, u64 size)
{
    constexpr u64 low_end = u64{1} << 47, hole_end = 0xffff'8800'0000'0000;
    u64 last;
    if (size == 0)
        return true;
    if (__builtin_add_overflow(va.raw(), size - 1, &last))
        return false;
    return last < low_end || va.raw() >= hole_end;
}

u64 copy_from_guest(void* to, GuestVa from, u64 size)
{
    u64 n = accessible(from.raw(), size);
    if (n) // also of a null address, nothing may be copied
        std::memcpy(to, reinterpret_cast<const void*>(from.raw()), n);
    return size - n;
}

u64 copy_to_guest(GuestVa to, const void* from, u64 size)
{
    u64 n = accessible(to.raw(), size);
    if (n)
        std::memcpy(reinterpret_cast<void*>(to.raw()), from, n);
    return size - n;
}

HostVa heap_start() { return HostVa{reinterpret_cast<u64>(heap_window)}; }

Status heap_map(HostVa va, Mfn mfn)
{
    std::lock_guard lock(mutex);
    if (!heap_pages.insert(va.raw()).second)
        die("heap page mapped twice");
    void* p = mmap(reinterpret_cast<void*>(va.raw()), page_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, object,
                   off_t(mfn.raw() * page_size));
    return p == MAP_FAILED ? Status(Error::nomem) : Status(success);
}

void heap_unmap(HostVa va)
{
    std::lock_guard lock(mutex);
    if (!heap_pages.erase(va.raw()))
        die("heap page unmapped that was not mapped");
    mmap(reinterpret_cast<void*>(va.raw()), page_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}
u64 heap_tables() { return 0; }

} // namespace tenon::arch
