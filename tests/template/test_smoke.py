"""Does the template work at all? Made with pytest-copie, as other templates are tested."""

from __future__ import annotations

from pathlib import Path

from pytest_copie.plugin import Copie


def test_the_default_project_is_made(copie: Copie, template_repo: Path) -> None:
    result = copie.copy(template_dir=template_repo)
    assert result.exit_code == 0, result.exception
    assert result.project_dir is not None
    assert (result.project_dir / "pyproject.toml").is_file()
    assert (result.project_dir / "src/my_model/__init__.py").is_file()


def test_a_name_reaches_the_package(copie: Copie, template_repo: Path) -> None:
    result = copie.copy(extra_answers={"project_name": "Customer churn"}, template_dir=template_repo)
    assert result.exit_code == 0, result.exception
    assert result.project_dir is not None
    assert (result.project_dir / "src/customer_churn/__init__.py").is_file()
