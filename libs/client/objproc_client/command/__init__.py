"""The `objproc` command; exit codes and what each one asks of the caller are in `exits`."""
