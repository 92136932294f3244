"""A QR and barcode reader on a serial line (USB CDC): it sends lines, it never types."""
