"""Model bundles: sealed, published, fetched, verified and loaded."""
