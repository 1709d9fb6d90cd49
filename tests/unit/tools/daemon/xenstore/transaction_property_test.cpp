// Property: whatever committed is as if each transaction had run alone, at the moment of its commit. Several
// transactions interleave at random; each keeps what it did and saw. At every commit the same steps run on
// a plain model of the tree, and must see the same.
#include <tools/daemon/xenstore/store.hpp>

#include <tools/daemon/xenstore/store_error.hpp>

#include <gtest/gtest.h>
#include <random>

using namespace tenon::tools::xenstore;

namespace {

using Model = std::map<std::string, std::string>; // path -> value; the root is not in it

enum class Kind { read, list, write, make, remove };

struct Step {
    Kind kind;
    std::string path;
    std::string value;
    std::string seen;
};

bool below(const std::string& path, const std::string& ancestor) { return path.starts_with(ancestor + "/"); }

std::string parent(const std::string& path) { return path.substr(0, path.rfind('/')); }

void add_ancestors(Model& model, const std::string& path)
{
    for (auto at = parent(path); !at.empty(); at = parent(at))
        model.try_emplace(at, "");
}

std::string run(Model& model, const Step& step)
{
    bool exists = model.contains(step.path);
    std::string seen;
    switch (step.kind) {
    case Kind::read: return exists ? model[step.path] : "ENOENT";
    case Kind::list:
        if (!exists)
            return "ENOENT";
        for (const auto& [path, value] : model)
            if (parent(path) == step.path)
                seen += path.substr(step.path.size() + 1) + " ";
        return seen;
    case Kind::write:
        add_ancestors(model, step.path);
        model[step.path] = step.value;
        return "";
    case Kind::make:
        add_ancestors(model, step.path);
        model.try_emplace(step.path, "");
        return "";
    case Kind::remove:
        if (!exists)
            return parent(step.path).empty() || model.contains(parent(step.path)) ? "" : "ENOENT";
        std::erase_if(model, [&](const auto& e) { return e.first == step.path || below(e.first, step.path); });
        return "";
    }
    return "";
}

std::string run(TreeAccess access, const Step& step)
{
    auto path = Path::parse(step.path, 0);
    std::string seen;
    try {
        switch (step.kind) {
        case Kind::read: return access.read(path);
        case Kind::list:
            for (const auto& [name, child] : access.directory(path)->children)
                seen += name + " ";
            return seen;
        case Kind::write: access.write(path, step.value); break;
        case Kind::make: access.make(path); break;
        case Kind::remove: access.remove(path); break;
        }
    } catch (const StoreError& error) {
        return error.what();
    }
    return seen;
}

Model flatten(const Tree& tree)
{
    Model model;
    auto walk = [&](auto& self, const Node& node, const std::string& path) -> void {
        for (const auto& [name, child] : node.children) {
            model[path + "/" + name] = child->content->value;
            self(self, *child, path + "/" + name);
        }
    };
    walk(walk, *tree.find(Path()), "");
    return model;
}

TEST(TransactionProperty, CommittedTransactionsAreSerialisable)
{
    unsigned committed = 0, refused = 0;
    for (unsigned seed = 0; seed < 300; ++seed) {
        std::mt19937 random(seed);
        auto pick = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
        auto some_path = [&] {
            std::string path;
            for (unsigned depth = 1 + pick(3); depth; --depth)
                path += std::string("/") + static_cast<char>('a' + pick(3));
            return path;
        };
        struct Open {
            Transaction transaction;
            std::vector<Step> steps;
        };
        Store store;
        Model model;
        std::vector<Open> open;
        for (unsigned round = 0; round < 200; ++round) {
            auto action = pick(10);
            if (action == 0 && open.size() < 4) {
                open.push_back({store.begin(), {}});
            } else if (action == 1 && !open.empty()) {
                auto at = open.begin() + pick(static_cast<unsigned>(open.size()));
                try {
                    store.commit(Caller{}, std::move(at->transaction));
                    ++committed;
                    for (const auto& step : at->steps)
                        ASSERT_EQ(run(model, step), step.seen) << "seed " << seed << " path " << step.path;
                } catch (const StoreError& error) {
                    ASSERT_EQ(error.number(), EAGAIN);
                    ++refused;
                }
                open.erase(at);
                ASSERT_EQ(flatten(store.tree()), model) << "seed " << seed;
            } else {
                Step step{static_cast<Kind>(pick(5)), some_path(), std::to_string(round), ""};
                auto which = pick(static_cast<unsigned>(open.size()) + 1);
                std::vector<Change> changes;
                if (which < open.size()) {
                    step.seen = run(store.access(Caller{}, open[which].transaction), step);
                    open[which].steps.push_back(step);
                } else if (pick(4) == 0) { // now and then outside of any transaction
                    ASSERT_EQ(run(store.access(Caller{}, changes), step), run(model, step));
                }
            }
        }
    }
    EXPECT_GT(committed, 300u);
    EXPECT_GT(refused, 300u);
}

} // namespace
