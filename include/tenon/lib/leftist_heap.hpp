// A leftist heap, made of its members themselves: nothing is allocated, and every operation is logarithmic at worst. The caller locks.
#pragma once
#include <tenon/lib/types.hpp>
#include <utility>

namespace tenon {

/// What a member is derived from. All are null while it is in no heap.
template <class T> struct HeapLinks {
    T *left = nullptr, *right = nullptr, *parent = nullptr;
    u32 rank = 0; ///< the length of the way down on the right, which is the shorter one; 0: in no heap
    bool is_queued() const { return rank != 0; }
};

/// The member with the least `key` is on top.
template <class T, u64 T::*key> class LeftistHeap : Pinned {
public:
    T* top() const { return root_; }
    void insert(T& t)
    {
        t.rank = 1;
        root_ = meld(root_, &t);
    }
    [[gnu::always_inline]] void remove(T& t) // to arm a timer again is on the way to many sleeps
    {
        T *below = nullptr, *above = std::exchange(t.parent, nullptr);
        if (t.left) { // where there is a right one, there is a left one
            below = meld(std::exchange(t.left, nullptr), std::exchange(t.right, nullptr));
            below->parent = above;
        }
        (!above ? root_ : above->left == &t ? above->left : above->right) = below;
        while (above && restore_order(*above))
            above = above->parent;
        t.rank = 0;
    }
    /// Walks all of them, from the top; nullptr after the last one.
    static T* next(const T& t)
    {
        if (t.left)
            return t.left;
        const T* from = &t;
        while (from->parent && (from == from->parent->right || !from->parent->right))
            from = from->parent;
        return from->parent ? from->parent->right : nullptr;
    }

private:
    static u32 rank_of(const T* t) { return t ? t->rank : 0; }
    /// True when the rank changed.
    static bool restore_order(T& t)
    {
        if (rank_of(t.left) < rank_of(t.right))
            std::swap(t.left, t.right);
        return std::exchange(t.rank, rank_of(t.right) + 1) != t.rank;
    }
    static T* meld(T* a, T* b) { return a && b ? meld_both(a, b) : a ? a : b; }
    /// Goes down on the right of both: logarithmic, also the depth of the recursion.
    static T* meld_both(T* a, T* b)
    {
        if (b->*key < a->*key)
            std::swap(a, b);
        a->right = meld(a->right, b);
        a->right->parent = a;
        restore_order(*a);
        return a;
    }

    T* root_ = nullptr;
};

} // namespace tenon
