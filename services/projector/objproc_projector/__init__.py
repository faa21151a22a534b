"""The projector: folds the log into PostgreSQL, then tells the feed. It never decides anything."""
