"""The help bundle: what somebody far away needs to help with this node, and nothing about anybody else."""
