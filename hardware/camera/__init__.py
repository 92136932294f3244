"""A camera that takes one picture when asked, in a process of its own."""
