// Makes small ELF files that look like a PV kernel, and can be made wrong in one place.
#pragma once
#include <arch/x86/boot/kernel_image.hpp>
#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace tenon::test {

struct ElfBuilder {
    struct Segment {
        u64 paddr, file_bytes, memory_bytes, extra_file_bytes = 0; ///< extra: claimed, but not there
    };
    std::vector<Segment> segments;
    std::map<u32, std::vector<u8>> notes;

    void set_note(u32 type, const char* text) { notes[type].assign(text, text + std::strlen(text) + 1); }
    void set_note(u32 type, u64 value)
    {
        notes[type].resize(8);
        std::memcpy(notes[type].data(), &value, 8);
    }
    void remove_note(u32 type) { notes.erase(type); }

    static ElfBuilder linux_like()
    {
        ElfBuilder e;
        e.segments = {{0x1000000, 0x1000, 0x1000}, {0x1001000, 0x800, 0x2000}};
        e.set_note(1, u64{0xffffffff81000100});
        e.set_note(3, u64{0xffffffff80000000});
        e.set_note(4, u64{0});
        e.set_note(5, "xen-3.0");
        e.set_note(6, "linux");
        e.set_note(7, "2.6");
        e.set_note(8, "generic");
        e.set_note(10, "!writable_page_tables|pae_pgdir_above_4gb");
        e.notes[14] = {1, 0, 0, 0};
        e.set_note(15, u64{0x8000000000});
        e.notes[16] = {1, 0, 0, 0};
        e.notes[17] = {0x01, 0x88, 0, 0};
        return e;
    }

    std::vector<u8> build() const
    {
        std::vector<u8> file(64), note_bytes;
        auto put = [](std::vector<u8>& to, auto value) {
            auto* p = reinterpret_cast<const u8*>(&value);
            to.insert(to.end(), p, p + sizeof(value));
        };
        auto pad = [](std::vector<u8>& v) { v.resize((v.size() + 3) & ~size_t{3}); };
        put(note_bytes, u32{4}), put(note_bytes, u32{0}), put(note_bytes, u32{1}), put(note_bytes, u32{0x00554e47}); // somebody else's
        for (auto& [type, value] : notes) {
            put(note_bytes, u32{4}), put(note_bytes, u32(value.size())), put(note_bytes, type);
            for (char c : {'X', 'e', 'n', '\0'})
                note_bytes.push_back(u8(c));
            note_bytes.insert(note_bytes.end(), value.begin(), value.end());
            pad(note_bytes);
        }
        u64 data_at = 64 + 56 * (segments.size() + 1), note_at = data_at;
        for (auto& s : segments)
            note_at += s.file_bytes;
        auto header = [&](u32 type, u64 offset, u64 paddr, u64 file_bytes, u64 memory_bytes) {
            put(file, type), put(file, u32{7}), put(file, offset), put(file, u64{0}), put(file, paddr);
            put(file, file_bytes), put(file, memory_bytes), put(file, u64{0x1000});
        };
        u64 at = data_at;
        for (auto& s : segments) {
            header(1, at, s.paddr, s.file_bytes + s.extra_file_bytes, s.memory_bytes + s.extra_file_bytes);
            at += s.file_bytes;
        }
        header(4, note_at, 0, note_bytes.size(), note_bytes.size());
        for (auto& s : segments)
            for (u64 i = 0; i < s.file_bytes; i++)
                file.push_back(u8(s.paddr >> 12 ^ i));
        file.insert(file.end(), note_bytes.begin(), note_bytes.end());
        const u8 ident[] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
        std::memcpy(file.data(), ident, sizeof(ident));
        auto set16 = [&](size_t o, u16 v) { std::memcpy(&file[o], &v, 2); };
        set16(16, 2), set16(18, 62), set16(52, 64), set16(54, 56), set16(56, u16(segments.size() + 1));
        u64 ph = 64;
        std::memcpy(&file[32], &ph, 8);
        return file;
    }
};

/// A bzImage around a compressed payload; `size_word` is what follows the stream.
inline std::vector<u8> bzimage(const std::vector<u8>& payload, bool append_size, u32 size_word, u8 setup_sectors = 3)
{
    std::vector<u8> file((setup_sectors + 1) * 512 + 0x100);
    u64 start = 0x100, length = payload.size() + (append_size ? 4 : 0);
    file[0x1f1] = setup_sectors;
    std::memcpy(&file[0x202], "HdrS", 4);
    file[0x206] = 0x0f, file[0x207] = 2;
    std::memcpy(&file[0x248], &start, 4);
    std::memcpy(&file[0x24c], &length, 4);
    file.insert(file.end(), payload.begin(), payload.end());
    if (append_size)
        for (int i = 0; i < 4; i++)
            file.push_back(u8(size_word >> 8 * i));
    return file;
}

} // namespace tenon::test
