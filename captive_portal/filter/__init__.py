"""The content filter: lists become one signed file, a site's policy becomes two configurations."""
