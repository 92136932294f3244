"""The verbs of the `plaza` command, one module each."""
