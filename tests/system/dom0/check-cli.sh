#!/bin/sh
# The command line's contract with scripts: exit codes, --help everywhere, JSON.
fail() { echo "check-cli: $*"; exit 1; }
code() { # code EXPECTED COMMAND...
    want=$1
    shift
    "$@" >/tmp/out 2>&1 </dev/null
    got=$?
    [ "$got" = "$want" ] || fail "'$*' ends with $got, not $want: $(cat /tmp/out)"
}
for command in create list console shutdown reboot pause unpause destroy sched dmesg info; do
    code 0 tenon "$command" --help
    grep -qi usage /tmp/out || fail "$command --help shows no usage"
done
code 0 tenon --help
code 2 tenon frobnicate
code 2 tenon list --frobnicate
code 2 tenon create
for command in console shutdown reboot pause unpause destroy sched; do code 3 tenon "$command" nobody; done
code 3 tenon list nobody
for command in console shutdown reboot pause destroy; do
    code 1 tenon "$command" 0
    grep -q 'control domain' /tmp/out || fail "$command 0 says $(cat /tmp/out)"
done
code 2 tenon
grep -q '^tenon: .*--help' /tmp/out || fail "tenon alone says $(cat /tmp/out)"
code 2 tenon create /tmp/nothing.cfg
printf 'name = "broken\n' >/tmp/broken.cfg
tenon create /tmp/broken.cfg >/tmp/out 2>&1 && fail "takes a broken file"
grep -q 'broken.cfg:1' /tmp/out || fail "does not say where a file is wrong: $(cat /tmp/out)"
printf 'name = "x"\nmemory = 64\nkernel = "/nothing"\n' >/tmp/missing.cfg
tenon create /tmp/missing.cfg >/tmp/out 2>&1 && fail "takes a kernel that is not there"
grep -q '/nothing' /tmp/out || fail "does not name the missing kernel: $(cat /tmp/out)"
tenon list --json | grep -q '"name": "Domain-0"' || fail "list --json"
tenon info --json | grep -q '"total_memory_mib": [1-9]' || fail "info --json"
code 2 tenon sched 0 --weight 0
code 1 tenon sched 0 --cap 12800
code 0 tenon sched 0 --weight 512
tenon sched 0 --json | tr -d ' \n' | grep -q '{"name":"Domain-0","id":0,"weight":512,"cap":0}' || fail "sched --json: $(tenon sched 0 --json)"
code 0 tenon sched Domain-0 --weight 256
tenon sched 0 | grep -q '^weight 256, no cap$' || fail "sched: $(tenon sched 0)"
tenon dmesg | grep -q . || fail "dmesg is empty"
tenon list | grep -q '^Domain-0  *0 ' || fail "list has no Domain-0"
echo "check-cli: fine"
