"""A project that exists, or that is about to: its answers, its repository, its place."""
