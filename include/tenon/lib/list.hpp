// Intrusive doubly linked list: an object derives from ListNode<Tag> and is in at most one list per tag.
#pragma once
#include <tenon/lib/types.hpp>

namespace tenon {

template <class Tag = void> struct ListNode {
    ListNode* next = nullptr;
    ListNode* prev = nullptr;
    bool linked() const { return next != nullptr; }
    void unlink()
    {
        if (!next)
            return;
        next->prev = prev;
        prev->next = next;
        next = prev = nullptr;
    }
};

template <class T, class Tag = void> class List : Pinned {
    using Node = ListNode<Tag>;

  public:
    List() { head_.next = head_.prev = &head_; }
    bool empty() const { return head_.next == &head_; }
    void push_back(T& item) { insert(static_cast<Node*>(&item), head_.prev); }
    void push_front(T& item) { insert(static_cast<Node*>(&item), &head_); }
    T* front() { return empty() ? nullptr : static_cast<T*>(head_.next); }
    T* pop_front()
    {
        T* item = front();
        if (item)
            static_cast<Node*>(item)->unlink();
        return item;
    }
    void insert_before(T& item, T& at) { insert(static_cast<Node*>(&item), static_cast<Node*>(&at)->prev); }

    class Iterator {
      public:
        explicit Iterator(Node* node) : node_(node), next_(node->next) {}
        T& operator*() const { return *static_cast<T*>(node_); }
        Iterator& operator++()
        {
            node_ = next_;
            next_ = node_->next;
            return *this;
        }
        bool operator!=(const Iterator& o) const { return node_ != o.node_; }

      private:
        Node* node_;
        Node* next_; // the current item may be unlinked by the loop body
    };
    Iterator begin() { return Iterator(head_.next); }
    Iterator end() { return Iterator(&head_); }

  private:
    static void insert(Node* node, Node* after)
    {
        node->prev = after;
        node->next = after->next;
        after->next->prev = node;
        after->next = node;
    }
    Node head_;
};

} // namespace tenon
