"""What the files of a repository answer, without anybody being asked."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from mlscaffold.adopt import infer
from mlscaffold.template.questions import Choice, Question, Questionnaire, read_questions
from tests.conftest import ROOT

TEMPLATE = read_questions(ROOT)
WIDE = Questionnaire(  # with choices that the template may have one day
    {
        "framework": Question(
            "framework", "str", "", "sklearn", tuple(Choice(name, "", "") for name in infer.FRAMEWORKS), False
        )
    }
)


def found(files: Mapping[str, str], questionnaire: Questionnaire = TEMPLATE) -> tuple[dict[str, str], list[str]]:
    """Return the answers, and what was said about those that were not taken."""
    said: list[str] = []
    answers = infer.infer_answers(files, lambda path: files[path].encode(), questionnaire, said.append)
    return {name: answer.value for name, answer in answers.items()}, said


PROJECT = """\
[project]
name = "customer-churn"
description = "Who will leave?"
authors = [{ name = "Grace", email = "grace@example.org" }, { name = "Ada" }]
dependencies = ["Scikit_Learn[all]>=1.5 ; python_version > '3'", "pandas"]
[project.optional-dependencies]
cloud = ["S3FS"]
"""
POETRY = """\
[tool.poetry]
name = "churn"
description = "Who?"
authors = ["Grace Hopper <grace@example.org>"]
[tool.poetry.dependencies]
python = "^3.11"
scikit-learn = "^1.5"
[tool.poetry.group.dev.dependencies]
gcsfs = "*"
"""


def test_the_project_table() -> None:
    answers, said = found({"pyproject.toml": PROJECT})
    assert answers == {
        "project_name": "customer-churn",
        "description": "Who will leave?",
        "author_name": "Grace",
        "author_email": "grace@example.org",
        "framework": "sklearn",
        "cloud": "aws",
    }
    assert said == []


def test_poetrys_own_table() -> None:
    answers, _ = found({"pyproject.toml": POETRY})
    assert answers == {
        "project_name": "churn",
        "description": "Who?",
        "author_name": "Grace Hopper",
        "author_email": "grace@example.org",
        "framework": "sklearn",
        "cloud": "gcp",
    }


SETUP_PY = """\
from setuptools import find_packages, setup
NAME = "computed"
setup(name="churn", description="Who?", author="Grace", packages=find_packages(), version=NAME,
      install_requires=["scikit-learn>=1.5", "boto3"])
"""
SETUP_CFG = """\
[metadata]
name = churn
description = Who?
author = Grace
[options]
install_requires =
    scikit-learn>=1.5
    boto3
"""


@pytest.mark.parametrize("files", [{"setup.py": SETUP_PY}, {"setup.cfg": SETUP_CFG}])
def test_setuptools_own_files(files: dict[str, str]) -> None:
    answers, said = found(files)
    expected = {"project_name": "churn", "description": "Who?", "author_name": "Grace"}
    assert answers == {**expected, "framework": "sklearn", "cloud": "aws"}
    assert said == []


def test_pipenvs_own_file() -> None:
    assert found({"Pipfile": '[packages]\nscikit-learn = "*"\n'})[0] == {"framework": "sklearn"}


@pytest.mark.parametrize("name", ["setup.py", "setup.cfg"])
def test_a_file_that_cannot_be_read_is_spoken_of(name: str) -> None:
    answers, (said,) = found({name: "[options]\nsetup(name\n"})
    assert answers == {}
    assert f"{name} cannot be read" in said


@pytest.mark.parametrize(
    "files",
    [
        {"requirements.txt": "# scikit-learn is below\n-r other.txt\nscikit-learn==1.5  # pinned\nadlfs\n"},
        {"requirements/train.txt": "scikit-learn\n", "requirements-dev.txt": "azure-storage-blob\n"},
        {"environment.yml": "dependencies:\n- scikit-learn=1.5\n- pip:\n  - azureml-core\n"},
        {"pyproject.toml": '[dependency-groups]\ntrain = ["scikit-learn", "adlfs", {include-group = "dev"}]\n'},
        {"requirements.txt": "sklearn\nboto3\n", "infra/main.tf": 'source  = "hashicorp/azurerm"\n'},
        {"requirements.txt": "sklearn\n", "main.tf": 'provider "azurerm" {\n  features {}\n}\n'},
    ],
)
def test_other_places_for_dependencies_and_clouds(files: dict[str, str]) -> None:
    assert found(files) == ({"framework": "sklearn", "cloud": "azure"}, [])


@pytest.mark.parametrize(
    ("path", "ci"),
    [
        (".github/workflows/test.yaml", "github"),
        (".gitlab-ci.yml", "gitlab"),
        ("azure-pipelines.yml", "azure_pipelines"),
    ],
)
def test_who_runs_it(path: str, ci: str) -> None:
    assert found({path: "", "docs/.gitlab-ci.yml": "", ".github/CODEOWNERS": ""}) == ({"ci": ci}, [])


def test_what_can_be_read_in_two_ways_is_left_to_the_user() -> None:
    answers, said = found({"requirements.txt": "boto3\ngcsfs\n", ".gitlab-ci.yml": "", "azure-pipelines.yml": ""})
    assert answers == {}
    assert said == [
        "cloud can be read in more than one way: aws (boto3 in requirements.txt), gcp (gcsfs in requirements.txt). Say"
        " which with --set cloud=VALUE.",
        "ci can be read in more than one way: gitlab (.gitlab-ci.yml), azure_pipelines (azure-pipelines.yml). Say which"
        " with --set ci=VALUE.",
    ]


def test_what_the_template_has_no_choice_for_is_said() -> None:
    answers, said = found({"requirements.txt": "scikit-learn\ncatboost\n"})
    assert answers == {}
    assert said[0].startswith("catboost in requirements.txt is not supported yet: framework can be ")


@pytest.mark.parametrize(
    ("packages", "framework"),
    [
        ("torch", "pytorch"),
        ("lightning\nlightgbm", "pytorch"),
        ("tensorflow-cpu", "keras"),
        ("keras\nxgboost", "keras"),
        ("xgboost-cpu", "xgboost"),
        ("lightgbm", "lightgbm"),
    ],
)
def test_the_framework_is_taken(packages: str, framework: str) -> None:
    assert found({"requirements.txt": f"scikit-learn\n{packages}\n"}) == ({"framework": framework}, [])


def test_the_rarer_framework_decides() -> None:
    assert found({"requirements.txt": "scikit-learn\nlightgbm\n"}, WIDE)[0] == {"framework": "lightgbm"}


@pytest.mark.parametrize("question", ["framework", "cloud", "ci"])
def test_every_choice_can_be_found(question: str) -> None:
    known = {"framework": infer.FRAMEWORKS, "cloud": infer.CLOUDS, "ci": infer.CI}[question]
    choices = {choice.value for choice in TEMPLATE.questions[question].choices} - {"none"}
    assert choices <= known.keys()


@pytest.mark.parametrize(
    "content",
    [
        "[project\n",
        "project = 3\n",
        "[project]\nname = 3\nauthors = 'x'\ndependencies = 'x'\noptional-dependencies = [1]\n",
        "[project]\nname = ''\nauthors = [3]\ndependencies = [3, '']\n[tool]\npoetry = []\n",
        "\udcff",
    ],
)
def test_a_broken_project_file_answers_nothing(content: str) -> None:
    said: list[str] = []
    read = {"pyproject.toml": content.encode("utf-8", "surrogateescape"), "environment.yml": b"- [\n"}
    assert infer.infer_answers(read, read.__getitem__, TEMPLATE, said.append) == {}
    assert all(sentence.startswith("pyproject.toml cannot be read") for sentence in said)


def test_packages_are_found_where_they_lie() -> None:
    assert infer.find_packages(
        ["src/a/x.py", "a/__init__.py", "b/__init__.py", "tests/__init__.py", "c/x.py", "d.py"]
    ) == {
        "a": "src/a",
        "b": "b",
    }
