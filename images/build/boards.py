"""The boards an image is made for: what differs between them, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

# Drivers that no board of ours has: most of the kernel's modules. A line is a folder below `kernel/`.
NEVER = (
    "drivers/accel", "drivers/ata", "drivers/comedi", "drivers/crypto/intel", "drivers/edac",
    "drivers/firewire", "drivers/gpu/drm/amd", "drivers/gpu/drm/ast", "drivers/gpu/drm/etnaviv",
    "drivers/gpu/drm/exynos", "drivers/gpu/drm/gma500", "drivers/gpu/drm/hisilicon",
    "drivers/gpu/drm/i915", "drivers/gpu/drm/imagination", "drivers/gpu/drm/imx",
    "drivers/gpu/drm/lima", "drivers/gpu/drm/mediatek", "drivers/gpu/drm/meson",
    "drivers/gpu/drm/mgag200", "drivers/gpu/drm/msm", "drivers/gpu/drm/nouveau",
    "drivers/gpu/drm/panfrost", "drivers/gpu/drm/panthor", "drivers/gpu/drm/radeon",
    "drivers/gpu/drm/rockchip", "drivers/gpu/drm/sun4i", "drivers/gpu/drm/tegra",
    "drivers/gpu/drm/tilcdc", "drivers/gpu/drm/vmwgfx", "drivers/gpu/drm/xe", "drivers/gpu/drm/xlnx",
    "drivers/iio", "drivers/infiniband", "drivers/isdn", "drivers/media/dvb-core",
    "drivers/media/dvb-frontends", "drivers/media/pci", "drivers/media/tuners",
    "drivers/media/usb/dvb-usb", "drivers/media/usb/dvb-usb-v2", "drivers/message", "drivers/mtd",
    "drivers/net/arcnet", "drivers/net/can", "drivers/net/ethernet/chelsio",
    "drivers/net/ethernet/intel/ice", "drivers/net/ethernet/marvell",
    "drivers/net/ethernet/mellanox", "drivers/net/ethernet/netronome",
    "drivers/net/ethernet/qlogic", "drivers/net/ethernet/sfc", "drivers/net/fddi",
    "drivers/net/hippi", "drivers/net/wan", "drivers/net/wireless/ath/ath11k",
    "drivers/net/wireless/ath/ath12k", "drivers/net/wireless/intel", "drivers/net/wireless/marvell",
    "drivers/net/wwan/iosm", "drivers/net/wwan/t7xx", "drivers/ntb", "drivers/scsi/*",
    "drivers/staging/[!v]*", "drivers/target", "drivers/thunderbolt", "drivers/vfio", "drivers/xen",
    "fs/9p", "fs/afs", "fs/bcachefs", "fs/btrfs", "fs/ceph", "fs/cifs", "fs/coda", "fs/dlm", "fs/gfs2",
    "fs/hfs", "fs/hfsplus", "fs/jfs", "fs/jffs2", "fs/lockd", "fs/nfs", "fs/nfsd", "fs/nilfs2",
    "fs/ntfs3", "fs/ocfs2", "fs/orangefs", "fs/reiserfs", "fs/smb", "fs/ubifs", "fs/udf", "fs/ufs",
    "fs/xfs", "fs/zonefs", "net/9p", "net/ceph", "net/dccp", "net/openvswitch", "net/rds", "net/rxrpc",
    "net/sctp", "net/sunrpc", "net/tipc",
)  # fmt: skip


@dataclass(frozen=True)
class Board:
    """One kind of image. `initrd_modules` are what must be loaded before the root can be mounted.

    Boards of one `base` share the Debian root, kernel and drivers; `boot` is what chooses the slot.
    """

    name: str
    arch: str
    base: str
    initrd_modules: tuple[str, ...]
    console: str
    boot: str
    slot_mib: int = 640
    boot_mib: int = 256
    data_mib: int = 256

    @property
    def compatible(self) -> str:
        """What a bundle must say to be installed here."""
        return f"plaza-{self.name}"


@dataclass(frozen=True)
class Base:
    """A Debian root for boards of one kind: kernel, packages beyond the node's, drivers left out."""

    arch: str
    kernel: str
    packages: tuple[str, ...]
    without_modules: tuple[str, ...] = ()
    without_files: tuple[str, ...] = ()


ROOT_MODULES = (
    "squashfs", "dm_mod", "dm_verity", "overlay", "ext4", "nls_cp437", "nls_ascii", "vfat",
)  # fmt: skip
NO_VM = (
    "drivers/bluetooth", "drivers/hwmon", "drivers/media", "drivers/mmc", "drivers/nvme",
    "drivers/platform", "drivers/regulator", "drivers/net/ethernet/broadcom",
    "drivers/net/wireless/ath", "drivers/net/wireless/broadcom", "drivers/net/wireless/mediatek",
    "drivers/net/wireless/ralink", "drivers/net/wireless/realtek", "drivers/net/wireless/ti",
)  # fmt: skip
# Systems on a chip that are no Raspberry Pi, by the first word of their drivers' folders.
NO_PI = (
    "drivers/gpu/drm/arm", "drivers/gpu/drm/nova", "drivers/gpu/drm/omapdrm", "drivers/gpu/drm/ti*",
    "drivers/nvme", "drivers/soundwire", "drivers/interconnect", "drivers/fpga", "drivers/dpll",
    "drivers/net/ethernet/[!bc]*", "drivers/net/ethernet/b[!r]*", "drivers/net/ethernet/c[!a]*",
    "drivers/net/ethernet/cavium", "drivers/net/dsa", "drivers/net/pcs",
    "drivers/net/ipa", "drivers/bluetooth", "drivers/media/platform/[!br]*", "drivers/media/i2c",
    "drivers/clk/[!bc]*", "drivers/phy/[!bp]*", "drivers/pinctrl/[!bp]*", "drivers/perf",
    "drivers/remoteproc",
    "drivers/rpmsg", "drivers/slimbus", "drivers/soc/[!b]*", "drivers/ufs", "drivers/w1", "drivers/greybus",
    "drivers/hwtracing", "sound/soc/codecs/snd-soc-[!h]*",
)  # fmt: skip
NO_FIRMWARE = (
    "/usr/lib/firmware/mediatek/mt79*", "/usr/lib/firmware/mediatek/mt7981*",
    "/usr/lib/firmware/mediatek/sof*",
    "/usr/lib/firmware/mediatek/mt8*", "/usr/lib/firmware/mediatek/BT*", "/usr/lib/firmware/mediatek/mt7988",
    "/usr/lib/firmware/brcm/*pcie*", "/usr/lib/firmware/brcm/BCM*", "/usr/lib/firmware/vpu*",
)  # fmt: skip

BASES = {
    "base-amd64": Base("amd64", "linux-image-amd64", ("grub-common",), NO_VM),
    "base-arm64": Base(
        "arm64",
        "linux-image-arm64",
        ("libubootenv-tool", "firmware-brcm80211", "firmware-mediatek", "firmware-ath9k-htc"),
        NO_PI,
        NO_FIRMWARE,
    ),
}

PI_MODULES = (
    "fixed", "gpio_regulator", "pinctrl_brcmstb_bcm2712", "gpio_brcmstb", "reset_raspberrypi", "mmc_block",
    "sdhci_iproc", "sdhci_brcmstb", "bcm2835", "bcm2835_wdt", "dwc2", "xhci_pci", "usb_storage", "uas",
    "sd_mod", "bcm2835_rng", "iproc_rng200",
)  # fmt: skip

BOARDS = {
    "vm-amd64": Board(
        name="vm-amd64",
        arch="amd64",
        base="base-amd64",
        initrd_modules=(
            "virtio_pci", "virtio_blk", "sd_mod", "virtio_scsi", "virtio_rng", "i6300esb", *ROOT_MODULES,
        ),
        console="console=tty0 console=ttyS0,115200",
        boot="grub",
    ),
    "vm-arm64": Board(
        name="vm-arm64",
        arch="arm64",
        base="base-arm64",
        initrd_modules=("virtio_pci", "virtio_mmio", "virtio_blk", "virtio_rng", *ROOT_MODULES),
        console="console=tty0 console=ttyAMA0,115200",
        boot="uboot",
    ),
    "pi": Board(
        name="pi",
        arch="arm64",
        base="base-arm64",
        initrd_modules=(*PI_MODULES, *ROOT_MODULES),
        console="console=tty1",
        boot="uboot",
    ),
}  # fmt: skip
