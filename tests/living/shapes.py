"""Small replicas of the shapes that machine-learning repositories have, each with tests of its own.

The shapes are those of public repositories: a folder of scripts, Poetry's src layout, setuptools, Kedro's starter,
Cookiecutter Data Science, notebooks, a FastAPI service, a folder of a monorepo.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist")

_CLEAN = '''\
"""Clean a table."""


def clean(rows):
    """Leave out empty rows."""
    return [row for row in rows if row]
'''


def _test(module: str) -> str:
    return (
        f"from {module} import clean\n\n\ndef test_empty_rows_are_left_out():\n    assert clean([[], [1]]) == [[1]]\n"
    )


@dataclass(frozen=True)
class Shape:
    """A repository of others.

    Attributes:
        files: what it has.
        tests: how its users run its tests: arguments of Python; empty if it has none.
        framework: what it trains with, as the template calls it; None if the template has no such framework.
        ci: the CI that it has.
        project: the folder to adopt; "" for all of it.
        env: what its users set to run its tests.
    """

    files: Mapping[str, str]
    tests: tuple[str, ...] = PYTEST
    framework: str | None = "sklearn"
    ci: str = "none"
    project: str = ""
    env: Mapping[str, str] = field(default_factory=dict)


SHAPES = {
    "flat scripts": Shape(
        {
            "README.md": "# Churn\n\npython train.py\n",
            "requirements.txt": "pandas==2.2.3\nscikit-learn==1.6.1\n",
            "clean.py": _CLEAN,
            "train.py": "from clean import clean\n\nif __name__ == '__main__':\n    print(clean([[1]]))\n",
            "tests/test_clean.py": _test("clean"),
            "data/train.csv": "a,b\n1,2\n",
            ".gitignore": "__pycache__/\nvenv\n",
        }
    ),
    "src layout with Poetry": Shape(
        {
            "README.md": "# Leads\n",
            "pyproject.toml": (
                '[tool.poetry]\nname = "leads"\nversion = "0.3.0"\ndescription = "Scores leads"\n'
                'authors = ["Ada <ada@example.org>"]\npackages = [{ include = "leads", from = "src" }]\n\n'
                '[tool.poetry.dependencies]\npython = "^3.11"\nscikit-learn = "^1.5"\n\n'
                '[tool.pytest.ini_options]\npythonpath = ["src"]\n\n'
                '[build-system]\nrequires = ["poetry-core"]\nbuild-backend = "poetry.core.masonry.api"\n'
            ),
            "poetry.lock": "# Poetry's\n",
            "src/leads/__init__.py": "",
            "src/leads/clean.py": _CLEAN,
            "src/leads/model.py": "from leads.clean import clean\n",
            "tests/__init__.py": "",
            "tests/test_clean.py": _test("leads.clean"),
            ".github/workflows/tests.yml": "on: push\njobs: {}\n",
            ".gitignore": "dist/\n.venv\n.env\n",
        },
        ci="github",
    ),
    "setup.py": Shape(
        {
            "README.rst": "Prices\n======\n",
            "setup.py": (
                "from setuptools import find_packages, setup\n\nsetup(name='prices', version='1.0',"
                " packages=find_packages(), install_requires=['scikit-learn>=1.3', 'boto3'])\n"
            ),
            "setup.cfg": "[tool:pytest]\ntestpaths = prices\n",
            "requirements.txt": "-e .\nscikit-learn\nboto3\n",
            "prices/__init__.py": "",
            "prices/clean.py": _CLEAN,
            "prices/tests/__init__.py": "",
            "prices/tests/test_clean.py": _test("prices.clean"),
            ".gitlab-ci.yml": "test: {script: [pytest]}\n",
            "Dockerfile": "FROM python:3.11\n",
        },
        ci="gitlab",
    ),
    "Kedro": Shape(
        {
            "README.md": "# spaceflights\n",
            "pyproject.toml": (
                '[project]\nname = "spaceflights"\nversion = "0.1"\nrequires-python = ">=3.10"\n'
                'dependencies = ["kedro~=0.19", "kedro-datasets[pandas]", "scikit-learn~=1.5"]\n\n'
                '[tool.kedro]\npackage_name = "spaceflights"\nproject_name = "spaceflights"\n'
                'kedro_init_version = "0.19.10"\n\n[tool.pytest.ini_options]\npythonpath = ["src"]\n'
            ),
            "conf/base/catalog.yml": "companies:\n  type: pandas.CSVDataset\n",
            "conf/base/parameters.yml": "test_size: 0.2\n",
            "conf/local/.gitkeep": "",
            "src/spaceflights/__init__.py": '__version__ = "0.1"\n',
            "src/spaceflights/__main__.py": "",
            "src/spaceflights/settings.py": "CONF = 'conf'\n",
            "src/spaceflights/pipeline_registry.py": "def register_pipelines():\n    return {}\n",
            "src/spaceflights/pipelines/data_science/__init__.py": "",
            "src/spaceflights/pipelines/data_science/nodes.py": _CLEAN,
            "tests/pipelines/test_nodes.py": _test("spaceflights.pipelines.data_science.nodes"),
            "notebooks/.gitkeep": "",
            ".gitignore": "conf/local/**\n!conf/local/.gitkeep\ndata/**\n.telemetry\n",
        }
    ),
    "Cookiecutter Data Science": Shape(
        {
            "README.md": "# sales\n",
            "LICENSE": "MIT\n",
            "Makefile": "requirements:\n\tpip install -r requirements.txt\n",
            "pyproject.toml": (
                '[build-system]\nrequires = ["flit_core >=3.2,<4"]\nbuild-backend = "flit_core.buildapi"\n\n'
                '[project]\nname = "sales"\nversion = "0.0.1"\ndescription = "Sales"\nauthors = [{ name = "Ada" }]\n'
                'dependencies = ["loguru", "scikit-learn", "typer"]\n'
            ),
            "data/raw/.gitkeep": "",
            "data/processed/.gitkeep": "",
            "models/.gitkeep": "",
            "notebooks/.gitkeep": "",
            "references/.gitkeep": "",
            "reports/figures/.gitkeep": "",
            "sales/__init__.py": "",
            "sales/config.py": "",
            "sales/dataset.py": _CLEAN,
            "sales/features.py": "",
            "sales/modeling/__init__.py": "",
            "sales/modeling/train.py": "",
            "tests/test_data.py": _test("sales.dataset"),
            ".gitignore": "/data/\n__pycache__/\n.env\n",
        },
        env={"PYTHONPATH": "."},
    ),
    "notebooks only": Shape(
        {
            "README.md": "# Notebooks\n",
            "01-explore.ipynb": json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}) + "\n",
            "environment.yml": "dependencies: [python=3.11, scikit-learn, {pip: [mlflow]}]\n",
        },
        tests=(),
    ),
    "FastAPI service": Shape(
        {
            "README.md": "# Scores\n",
            "requirements.txt": "fastapi==0.115.0\nscikit-learn==1.5.2\n",
            "setup.cfg": "[flake8]\nmax-line-length = 100\n",
            "scores/__init__.py": "",
            "scores/main.py": "",
            "scores/services/models.py": _CLEAN,
            "tests/__init__.py": "",
            "tests/conftest.py": "import pytest\n\n\n@pytest.fixture\ndef rows():\n    return [[], [1]]\n",
            "tests/test_models.py": (
                "import unittest\n\nfrom scores.services.models import clean\n\n\n"
                "def test_rows(rows):\n    assert clean(rows) == [[1]]\n\n\n"
                "class Old(unittest.TestCase):\n    def test_rows(self):\n        assert clean([[]]) == []\n"
            ),
            "Dockerfile": "FROM python:3.11\n",
            ".dockerignore": ".git\n",
            ".env.example": "API_KEY=\n",
            "docker-compose.yml": "services: {}\n",
            "azure-pipelines.yml": "steps: []\n",
        },
        ci="azure_pipelines",
    ),
    "folder of a monorepo": Shape(
        {
            "README.md": "# Everything\n",
            "web/package.json": "{}\n",
            ".github/workflows/all.yml": "on: push\njobs: {}\n",
            ".gitignore": "node_modules/\n",
            "ml/fraud/README.md": "# Fraud\n",
            "ml/fraud/requirements.txt": "scikit-learn\n",
            "ml/fraud/fraud.py": _CLEAN,
            "ml/fraud/test_fraud.py": _test("fraud"),
        },
        project="ml/fraud",
    ),
}
