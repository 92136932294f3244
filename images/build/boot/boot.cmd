# U-Boot: chooses the slot by RAUC's contract (BOOT_ORDER, BOOT_A_LEFT, BOOT_B_LEFT), counts down, starts it.
# The counters are in slots.env, in U-Boot's own format with its checksum, whatever a board's U-Boot was
# built to keep its environment in. One sector, written in place: a power cut leaves the old or the new ones.
setenv slots_size 0x200
# U-Boot's own addresses on the Pi leave 38 MiB for a kernel; ours takes 51 and is best on 2 MiB.
if test "${vendor}" = raspberrypi; then
    setenv kernel_addr_r 0x00200000
    setenv ramdisk_addr_r 0x0a000000
fi
setenv BOOT_ORDER "A B"
setenv BOOT_A_LEFT 3
setenv BOOT_B_LEFT 0
if load ${devtype} ${devnum}:${distro_bootpart} ${scriptaddr} slots.env; then
    env import -c ${scriptaddr} ${slots_size} BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT
fi
setenv slot
for s in ${BOOT_ORDER}; do
    if test -z "${slot}"; then
        if test "${s}" = A && test ${BOOT_A_LEFT} -gt 0; then
            setexpr BOOT_A_LEFT ${BOOT_A_LEFT} - 1
            setenv slot A
            setenv dir a
            setenv part 2
        elif test "${s}" = B && test ${BOOT_B_LEFT} -gt 0; then
            setexpr BOOT_B_LEFT ${BOOT_B_LEFT} - 1
            setenv slot B
            setenv dir b
            setenv part 3
        fi
    fi
done
if test -z "${slot}"; then
    # Every try is used up: the slots of the order get theirs back; rather any slot again than none.
    for s in ${BOOT_ORDER}; do
        if test "${s}" = A; then setenv BOOT_A_LEFT 3; else setenv BOOT_B_LEFT 3; fi
    done
    env export -c -s ${slots_size} ${scriptaddr} BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT
    fatwrite ${devtype} ${devnum}:${distro_bootpart} ${scriptaddr} slots.env ${slots_size}
    reset
fi
env export -c -s ${slots_size} ${scriptaddr} BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT
fatwrite ${devtype} ${devnum}:${distro_bootpart} ${scriptaddr} slots.env ${slots_size}
echo "Plaza: slot ${slot}"
load ${devtype} ${devnum}:${distro_bootpart} ${scriptaddr} ${dir}/slot.env
env import -t ${scriptaddr} ${filesize} roothash hashstart cmdline
setenv bootargs "${cmdline} plaza.loader=uboot plaza.slot=${slot} plaza.part=${part} plaza.roothash=${roothash} plaza.hashstart=${hashstart} rauc.slot=${slot}"
if load ${devtype} ${devnum}:${distro_bootpart} ${kernel_addr_r} ${dir}/vmlinuz && load ${devtype} ${devnum}:${distro_bootpart} ${ramdisk_addr_r} ${dir}/initrd.img; then
    setenv initrd_size ${filesize}
    # The firmware's device tree: it holds what only the firmware knows (memory, addresses, serial number).
    if test -n "${fdt_addr}"; then
        booti ${kernel_addr_r} ${ramdisk_addr_r}:${initrd_size} ${fdt_addr}
    fi
    booti ${kernel_addr_r} ${ramdisk_addr_r}:${initrd_size} ${fdtcontroladdr}
fi
echo "Plaza: slot ${slot} cannot be started"
sleep 5
reset
