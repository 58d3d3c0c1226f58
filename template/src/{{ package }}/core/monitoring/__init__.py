"""The prediction log, and the drift that is measured from it."""
