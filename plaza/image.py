"""Which image this node was started from; read in `sync`, because the first fact of a start says it too."""

from __future__ import annotations

from sync.image import IMAGE_FILE, ImageInfo, read_image

__all__ = ["IMAGE_FILE", "ImageInfo", "read_image"]
