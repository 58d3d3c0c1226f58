"""How Sphinx makes the guide; `python -m docs.build` calls it."""

project = "mlscaffold"
extensions = ["myst_parser"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "mlscaffold"
html_show_sourcelink = False
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["guide.css"]
