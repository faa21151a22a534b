"""The worker: claims tasks, runs them in child processes, leaves artifacts in S3, reports results."""
