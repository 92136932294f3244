"""The node as a whole: the `plaza` command, the demonstration, the doctor."""
