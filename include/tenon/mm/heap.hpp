// The hypervisor's own objects. Memory comes zeroed; make<T>() returns nullptr when there is none.
#pragma once
#include <new>
#include <tenon/addr.hpp>
#include <utility>

namespace tenon {

namespace heap {
void* allocate(std::size_t bytes); ///< whole pages, next to each other in machine memory, too; nullptr: none, or none so
void free(void* pointer);          ///< nullptr is allowed
u64 pages();                       ///< in use, communication pages too
} // namespace heap

template <class T, class... A> T* make(A&&... args)
{
    void* memory = heap::allocate(sizeof(T));
    return memory ? new (memory) T(std::forward<A>(args)...) : nullptr;
}
template <class T> void destroy(T* object)
{
    if (object) {
        object->~T();
        heap::free(object);
    }
}
template <class T> T* make_array(std::size_t count)
{
    std::size_t bytes;
    void* memory = __builtin_mul_overflow(sizeof(T), count, &bytes) ? nullptr : heap::allocate(bytes);
    return memory ? new (memory) T[count]() : nullptr;
}

/// A page that a domain may map by its frame number and the hypervisor reads and writes at a fixed address:
/// shared_info, grant table frames. It carries references and bits, never a guest's data.
struct CommPage {
    Mfn mfn = invalid_mfn;
    void* va = nullptr;
    explicit operator bool() const { return va != nullptr; }
    template <class T> T* as() const { return static_cast<T*>(va); }
};
/// A zeroed page with one reference of the hypervisor's; domains::add_comm_page() gives it its owner.
CommPage allocate_comm_page();
/// Drops the hypervisor's reference and its mapping; the frame is freed when nobody maps it any more.
void free_comm_page(CommPage& page);

} // namespace tenon
