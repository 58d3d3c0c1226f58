"""Programs and services of the machine: git, uv, locks."""
