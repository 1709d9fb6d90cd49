#!/bin/sh
# isolation-load.sh: two guests that compute and move disk blocks and TCP data without end, while dom0 creates and
# destroys a third over and over.
# Returns at once; each round of the third is a line of /tmp/rounds, and the file /tmp/enough ends them.
. /tests/guest-lib.sh
rm -f /tmp/enough /tmp/rounds
serve-data 8
for n in 1 2; do
    dd if=/dev/zero of=/tmp/load$n.img bs=1M count=0 seek=16 2>/dev/null
    MEMORY=96 config load$n $n 2 "/tmp/load$n.img,raw,xvda,w" guest.test=churn-and-spin
done
MEMORY=128 config passing 5 2 ""
{
    for n in 1 2; do tenon create -q /tmp/load$n.cfg || fail "cannot create load$n"; done
    n=0
    while [ ! -e /tmp/enough ]; do
        n=$((n + 1))
        tenon create -q /tmp/passing.cfg || fail "cannot create"
        usleep $((n * n * 7919 % 1000000))
        tenon destroy passing || fail "cannot destroy"
        gone passing 60
        echo "round $n" >>/tmp/rounds
    done
    echo ended >>/tmp/rounds
} </dev/null >/tmp/load.out 2>&1 &
