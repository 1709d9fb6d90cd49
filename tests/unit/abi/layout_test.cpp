// include/abi against the public headers: every struct, field and constant, one for one.
//
// Build, from the top of the tree:
//   g++ -std=c++20 -Iinclude tests/unit/abi/layout_*.cpp -lgtest -lgtest_main
//   gcc -std=c11 -Iinclude -fsyntax-only tests/unit/abi/headers_as_c.c
#include "layout.hpp"

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include <gtest/gtest.h>

static std::ostream& operator<<(std::ostream& out, const Extent& extent)
{
    return out << "offset " << extent.offset << ", size " << extent.size;
}

namespace {

template <class Value> void expect_equal(const std::map<std::string, Value>& ours, const std::map<std::string, Value>& theirs)
{
    ASSERT_EQ(ours.size(), theirs.size());
    for (const auto& [name, value] : ours) {
        if (value != theirs.at(name))
            ADD_FAILURE() << name << ": ours " << value << ", public " << theirs.at(name);
    }
}

TEST(AbiLayout, EveryFieldLiesWhereThePublicHeadersPutIt) { expect_equal(our_layout().fields, public_layout().fields); }

TEST(AbiLayout, EveryConstantHasItsPublicValue) { expect_equal(our_layout().constants, public_layout().constants); }

// Ours alone: derived numbers, and structures the public headers nest or leave to others.
bool is_ours_alone(const std::string& name)
{
    static const std::regex prefixes("(ABI|TI|XEN_E820)_.*");
    static const std::set<std::string> names{"xen_e820_entry", "gnttab_copy_ptr"};
    return std::regex_match(name, prefixes) || names.contains(name);
}

TEST(AbiLayout, TheListsNameEveryStructAndConstantOfOurHeaders)
{
    const Layout layout = our_layout();
    // A definition of a macro with a value, of a structure, or of an enumerator.
    const std::regex definition(R"(#define (\w+) \S|(?:^|\n)(?:struct|union)(?: __attribute__\S+)? (\w+) \{|(\w+) = )");
    const std::regex comment(R"(//[^\n]*|/\*[^*]*\*/)");
    const auto headers = std::filesystem::path(__FILE__).parent_path() / "../../../include/abi";
    size_t seen = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(headers)) {
        if (!entry.is_regular_file())
            continue;
        std::ifstream file(entry.path());
        const std::string text = std::regex_replace(std::string(std::istreambuf_iterator<char>(file), {}), comment, "");
        for (std::sregex_iterator match(text.begin(), text.end(), definition), end; match != end; ++match) {
            const std::string name = (*match)[1].str() + (*match)[2].str() + (*match)[3].str();
            if (is_ours_alone(name))
                continue;
            ++seen;
            EXPECT_TRUE(layout.constants.contains(name) || layout.fields.contains(name))
                << name << " in " << entry.path().filename() << " is in no list";
        }
    }
    EXPECT_GT(seen, 400u) << "the headers were not found at " << headers;
}

} // namespace
