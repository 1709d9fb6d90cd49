# For the other scripts: making, watching and ending guests.
LOGS=/var/log/tenon

fail() {
    echo "FAIL: $*"
    tail -n 25 /var/log/tenond.out
    tail -n 15 "$LOGS/console-${guest:-none}.log" 2>/dev/null
    exit 1
}

# config NAME NUMBER VCPUS DISK [EXTRA...]: writes /tmp/NAME.cfg. NUMBER makes addresses; DISK may be empty.
config() {
    name=$1 number=$2 vcpus=$3 disk=$4
    shift 4
    {
        echo "name = \"$name\""
        echo "kernel = \"/boot/guest/vmlinuz\""
        echo "ramdisk = \"/boot/guest/initrd\""
        echo "memory = ${MEMORY:-160}"
        echo "vcpus = $vcpus"
        [ -z "$disk" ] || echo "disk = [\"$disk\"]"
        echo "vif = [\"mac=00:16:3e:00:00:$((number + 10)),bridge=br0\"]"
        echo "extra = \"console=hvc0 guest.ip=10.0.2.$((number + 20)) guest.peer=10.0.2.15 guest.disk=/dev/xvda $*\""
    } >"/tmp/$name.cfg"
    rm -f "$LOGS/console-$name.log"
}

# says NAME PATTERN SECONDS: waits until the guest's console has said it.
says() {
    guest=$1
    for _ in $(seq $(($3 * 5))); do
        grep -aqE "$2" "$LOGS/console-$1.log" 2>/dev/null && return 0
        usleep 200000
    done
    fail "$1 does not say '$2' within $3 s"
}

listed() { tenon list "$1" >/dev/null 2>&1; }

gone() { # gone NAME SECONDS
    guest=$1
    for _ in $(seq $(($2 * 5))); do
        listed "$1" || return 0
        usleep 200000
    done
    fail "$1 is still there after $2 s"
}

type_in() { # type_in NAME TEXT: types a line on the guest's console and leaves it again
    (echo; sleep 1; echo "$2"; sleep 2; printf '\035') | tenon console "$1"
}
