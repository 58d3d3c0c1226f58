"""An existing repository, brought under the template."""
