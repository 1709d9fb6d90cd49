#!/bin/sh
# Debian's xenstore clients against the daemon: over its Unix socket, and over the kernel's ring by /dev/xen/xenbus.
fail() { echo "check-xenstore: $*"; exit 1; }
for way in /run/xenstored/socket /dev/xen/xenbus; do
    export XENSTORED_PATH=$way
    [ "$(xenstore-read /local/domain/0/name)" = Domain-0 ] || fail "$way: no name of domain 0"
    xenstore-write /tool/check/a/b "some text" /tool/check/c "" || fail "$way: write"
    [ "$(xenstore-read /tool/check/a/b)" = "some text" ] || fail "$way: read"
    [ "$(xenstore-list /tool/check | sort | tr '\n' ' ')" = "a c " ] || fail "$way: list"
    xenstore-ls /tool/check | grep -q 'b = "some text"' || fail "$way: ls"
    xenstore-chmod /tool/check/a n0 r5 || fail "$way: chmod"
    xenstore-ls -p /tool/check | grep -q 'n0,r5' || fail "$way: permissions"
    timeout 10 xenstore-watch -n 2 /tool/check >/tmp/watched &
    sleep 1
    xenstore-write /tool/check/a/new 1
    wait $!
    grep -q '^/tool/check/a/new' /tmp/watched || fail "$way: the watch saw $(cat /tmp/watched)"
    xenstore-rm /tool/check || fail "$way: rm"
    xenstore-exists /tool/check && fail "$way: still there after rm"
    xenstore-read /tool/check/a 2>/dev/null && fail "$way: reads what is not there"
done
echo "check-xenstore: socket and ring"
