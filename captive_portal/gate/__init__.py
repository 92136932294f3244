"""The gate: who may pass to the Internet, until when. Five verbs, two implementations, one socket."""
