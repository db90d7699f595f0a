"""fal's hosted try-on models as an engine, over its queue."""
