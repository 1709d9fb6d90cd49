// Turns the lists into a Layout, with whatever definitions the including file has in scope.
// Included by layout_ours.cpp and layout_public.cpp only.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "layout.hpp"

// FOR_EACH(step, type, a, b, ...) expands to step(type, a) step(type, b) ...: up to some 80 names.
#define PARENS ()
#define EXPAND(...) EXPAND3(EXPAND3(EXPAND3(EXPAND3(__VA_ARGS__))))
#define EXPAND3(...) EXPAND2(EXPAND2(EXPAND2(EXPAND2(__VA_ARGS__))))
#define EXPAND2(...) EXPAND1(EXPAND1(EXPAND1(EXPAND1(__VA_ARGS__))))
#define EXPAND1(...) __VA_ARGS__
#define FOR_EACH(step, type, ...) __VA_OPT__(EXPAND(FOR_EACH_STEP(step, type, __VA_ARGS__)))
#define FOR_EACH_STEP(step, type, first, ...) step(type, first) __VA_OPT__(FOR_EACH_AGAIN PARENS(step, type, __VA_ARGS__))
#define FOR_EACH_AGAIN() FOR_EACH_STEP

#define FIELD(type, field) {offsetof(type, field), sizeof(std::declval<type&>().field)},
#define STRUCT(type, ...)                     \
    layout.fields[#type] = {0, sizeof(type)}; \
    add(layout.fields, #type ".", #__VA_ARGS__, {FOR_EACH(FIELD, type, __VA_ARGS__)});
#define CONSTANTS(...) add(layout.constants, "", #__VA_ARGS__, numbers(__VA_ARGS__));

namespace {

// A constant may be an integer of any type or an enumerator.
template <class... T> std::vector<uint64_t> numbers(T... value) { return {static_cast<uint64_t>(value)...}; }

// The names arrive as one string, so that a constant's name is not replaced by its value.
template <class Value>
void add(std::map<std::string, Value>& into, const std::string& prefix, std::string_view names, const std::vector<Value>& values)
{
    for (const Value& value : values) {
        const size_t end = names.find(',');
        into[prefix + std::string(names.substr(0, end))] = value;
        names.remove_prefix(end == names.npos ? names.size() : names.find_first_not_of(' ', end + 1));
    }
}

Layout collect_layout()
{
    Layout layout;
#include "layout_list_control.h"
#include "layout_list_guest.h"
#include "layout_list_services.h"
    return layout;
}

} // namespace
