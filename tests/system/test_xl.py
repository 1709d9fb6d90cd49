# An unmodified Xen toolstack, Debian's xl with libxl and xenconsoled, on this hypervisor and this xenstore server.


def test_xl_of_debian(boot):
    m = boot(memory=1536, smp=2, options="dom0_mem=1G", xl=True, limit=700)
    m.shell("sh /tests/check-xl.sh", timeout=500)
    m.shell("sh /tests/check-logs.sh")
    m.send("poweroff -f\n")
    m.wait_end()
