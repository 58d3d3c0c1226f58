"""Another version of the template, or other answers, for a project that exists."""
