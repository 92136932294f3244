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
    "drivers/net/wwan/iosm", "drivers/net/wwan/t7xx", "drivers/ntb", "drivers/scsi",
    "drivers/staging", "drivers/target", "drivers/thunderbolt", "drivers/vfio", "drivers/xen",
    "fs/9p", "fs/afs", "fs/bcachefs", "fs/btrfs", "fs/ceph", "fs/cifs", "fs/coda", "fs/dlm", "fs/gfs2",
    "fs/hfs", "fs/hfsplus", "fs/jfs", "fs/jffs2", "fs/lockd", "fs/nfs", "fs/nfsd", "fs/nilfs2",
    "fs/ntfs3", "fs/ocfs2", "fs/orangefs", "fs/reiserfs", "fs/smb", "fs/ubifs", "fs/udf", "fs/ufs",
    "fs/xfs", "fs/zonefs", "net/9p", "net/ceph", "net/dccp", "net/openvswitch", "net/rds", "net/rxrpc",
    "net/sctp", "net/sunrpc", "net/tipc",
)  # fmt: skip


@dataclass(frozen=True)
class Board:
    """One kind of image. `initrd_modules` are what must be loaded before the root can be mounted."""

    name: str
    arch: str
    kernel: str
    packages: tuple[str, ...]
    initrd_modules: tuple[str, ...]
    console: str
    boot: str
    without_modules: tuple[str, ...] = ()
    slot_mib: int = 640
    boot_mib: int = 256
    data_mib: int = 256
    compatible: str = "plaza"


ROOT_MODULES = (
    "squashfs", "dm_mod", "dm_verity", "overlay", "ext4", "nls_cp437", "nls_ascii", "vfat",
)  # fmt: skip
NO_VM = (
    "drivers/bluetooth", "drivers/hwmon", "drivers/media", "drivers/mmc", "drivers/nvme",
    "drivers/platform", "drivers/regulator", "drivers/net/ethernet/broadcom",
    "drivers/net/wireless/ath", "drivers/net/wireless/broadcom", "drivers/net/wireless/mediatek",
    "drivers/net/wireless/ralink", "drivers/net/wireless/realtek", "drivers/net/wireless/ti",
)  # fmt: skip

BOARDS = {
    "vm-amd64": Board(
        name="vm-amd64",
        arch="amd64",
        kernel="linux-image-amd64",
        packages=("grub-common",),
        initrd_modules=(
            "virtio_pci", "virtio_blk", "sd_mod", "virtio_scsi", "i6300esb", *ROOT_MODULES,
        ),
        console="console=tty0 console=ttyS0,115200",
        boot="grub",
        without_modules=NO_VM,
        compatible="plaza-vm-amd64",
    ),
}  # fmt: skip
