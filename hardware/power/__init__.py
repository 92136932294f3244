"""The solar charge controller: what the battery, the panel and the load are doing."""
