"""What everything stands on: errors, settings, the lake, storage, queries, promises."""
