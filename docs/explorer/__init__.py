"""The explorer: one static page that shows every project which the template can write."""
