"""A package, so that `tests.shared` is ours and not the `tests` folder some installed distribution brings."""
