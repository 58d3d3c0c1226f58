"""What a built package holds beyond the code: the template with its origin and history, and the explorer's page."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

IGNORED = ("__pycache__", "*.pyc", ".DS_Store")


class TemplateHook(BuildHookInterface[Any]):
    """Embeds the template in wheels, and its origin and history in wheels and source distributions.

    The origin is the canonical URL and the commit, asked from git in a clone; the history is a git bundle of that
    commit and the tags before it. A source distribution has both as files, which a wheel built from there takes over.
    An archive with neither cannot be built: projects made with it would not know what to update from. A wheel also has
    the explorer's page.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files; an editable install uses the clone itself."""
        if version == "editable":
            return
        root = Path(self.root)
        sys.path[:0] = [str(root / "src"), str(root)]
        from mlscaffold.system.git import write_bundle
        from mlscaffold.template.source import EXPLORER_FILE, HISTORY_FILE, ORIGIN_FILE, PARTS, Origin

        origin = Origin.of(root)
        if origin.modified:
            self.app.display_warning(f"The template has changes that are not in {origin.commit}.")
        # Kept until the process ends, which is after the files were read.
        self.scratch = tempfile.TemporaryDirectory(prefix="mlscaffold-build-")
        recorded = Path(self.scratch.name, ORIGIN_FILE)
        recorded.write_text(origin.to_json(), "utf-8")
        history = root / HISTORY_FILE
        if not history.is_file():
            history = Path(self.scratch.name, HISTORY_FILE)
            write_bundle(root, history)

        include = build_data["force_include"]
        if self.target_name == "sdist":
            include[str(recorded)] = ORIGIN_FILE
            include[str(history)] = HISTORY_FILE
            return
        from docs.explorer.build import build as build_explorer

        package = Path("mlscaffold")
        page = Path(self.scratch.name, EXPLORER_FILE)
        build_explorer(page, root, origin)
        include[str(page)] = str(package / EXPLORER_FILE)
        include[str(history)] = str(package / HISTORY_FILE)
        embedded = package / "_template"
        include[str(recorded)] = str(embedded / ORIGIN_FILE)
        for part in PARTS:
            for path in (root / part, *(root / part).rglob("*")):
                place = path.relative_to(root)
                ignored = any(name.match(pattern) for name in (place, *place.parents) for pattern in IGNORED)
                if path.is_file() and not ignored:
                    include[str(path)] = str(embedded / place)

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was only needed for building."""
        if version != "editable":
            self.scratch.cleanup()
