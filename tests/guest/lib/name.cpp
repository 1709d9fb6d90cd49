// What this is: the guest's name, the only thing that differs between two builds of this library.
namespace guest {
extern const char guest_name[];
const char guest_name[] = GUEST_NAME;
} // namespace guest
