"""The scheduler: sole writer of the log. It loads, decides, commits; nothing else."""
