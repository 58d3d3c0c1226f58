"""The second week: what an owner replaces first touches the files that the project names, and nothing else breaks."""

from __future__ import annotations

import csv
import json
import random
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.proof import tasks
from tests.proof.kinds import KINDS, name_of
from tests.proof.project import Project, substitute

CUSTOMERS_SCHEMA = '''\
"""The contract."""

from .core.contract.columns import Category, Column, Number

ROW_ID = "customer id"
TARGET = "what became of it"
LABELS = ("stays", "leaves", "not clear yet")

INPUTS: tuple[Column, ...] = (
    Number(name="Tenure (months)", description="Since the first contract", minimum=0, maximum=600),
    Category(name="plan.type", description='What is "paid" for', values=("basic", "plus", "pro")),
    Number(name="größe [m²]", nullable=True),
    Category(name="class", nullable=True),
    Number(name="1st-contact"),
)
FEATURES: tuple[Column, ...] = INPUTS
AUDIT: tuple[Column, ...] = (Category(name="Gender?", nullable=True),)
SLICES: dict[str, tuple[float, ...]] = {"Gender?": (), "Tenure (months)": (12.0,)}
'''
FLOWERS_SCHEMA = '''\
"""The contract."""

from .core.contract.columns import Column, Number

ROW_ID = "id"
@TARGET@
INPUTS: tuple[Column, ...] = (Number(name="length"), Number(name="width", nullable=True))
FEATURES: tuple[Column, ...] = INPUTS
AUDIT: tuple[Column, ...] = ()
SLICES: dict[str, tuple[float, ...]] = {}
'''
PATIENTS_SCHEMA = '''\
"""The contract."""

from .core.contract.columns import Category, Column, Number

ROW_ID = "Patient №"
TARGET = Number(name="above the average (after a year)")
COVERAGE = 0.8

INPUTS: tuple[Column, ...] = (
    Number(name="Age (years)", minimum=0, maximum=120),
    Category(name="class", description='The "sex"', values=("1", "2")),
    Number(name="größe [kg/m²]", nullable=True),
    Number(name="1st-pressure"),
    *(Number(name=f"s.{number}") for number in range(1, 7)),
)
FEATURES: tuple[Column, ...] = INPUTS
AUDIT: tuple[Column, ...] = ()
SLICES: dict[str, tuple[float, ...]] = {"class": (), "Age (years)": (50.0,)}
'''
TUMOURS_SCHEMA = '''\
"""The contract."""

from .core.contract.columns import Category, Column, Number

ROW_ID = "sample №"
TARGET = "is it malignant?"

INPUTS: tuple[Column, ...] = (
    Category(name="class", description='What the surface "feels" like', values=("smooth", "coarse")),
    Number(name="größe [µm]", minimum=0, nullable=True),
    *(Number(name=f"{number}.measure") for number in range(1, 9)),
)
FEATURES: tuple[Column, ...] = INPUTS
AUDIT: tuple[Column, ...] = ()
SLICES: dict[str, tuple[float, ...]] = {"class": ()}
PROTECTED: tuple[str, ...] = ()
'''
TARGETS = {
    "anomaly_detection": 'TARGET = "kind"\n',
    "tabular_classification": 'TARGET = "kind"\nLABELS = ("a", "b")\n',
    "tabular_regression": 'TARGET = Number(name="kind")\nCOVERAGE = 0.9\n',
}
"""What is predicted of flowers, for each task."""
DERIVED = {
    "anomaly_detection": ("sensor_1", "sensor_3"),
    "tabular_classification": ("credit_amount", "duration_months"),
    "tabular_regression": ("carat", "depth"),
}
"""Two numbers of the sample of each task."""
NUMPY_MODEL = '''\
"""The model: a softmax regression in plain NumPy."""

from typing import Any

import msgspec
import numpy as np
import optuna

from .core.bundles.predictor import Coefficients
from .core.contract.columns import Answer, Columns
from .core.training.fitting import Fit
from .schema import FEATURES, LABELS


class Model(msgspec.Struct, forbid_unknown_fields=True):
    """What `params.yaml` says, of which this uses one number, and what has been fitted."""

    kind: str
    gradient_boosting: dict[str, Any] = {}
    logistic_regression: dict[str, float] = {}
    fitted: Coefficients | None = None


def build(params: dict[str, Any], seed: int) -> Model:  # noqa: ARG001 (nothing is drawn)
    """Return an unfitted model."""
    return msgspec.convert(params, Model)


def fit(model: Model, work: Fit) -> Model:
    """Return the model, fitted to all training rows by gradient descent."""
    columns, target = work.features, work.target
    numbers = [feature.name for feature in FEATURES if feature.matrix == "numbers"]
    texts = [feature.name for feature in FEATURES if feature.matrix == "texts"]
    empty = Coefficients(
        means={name: float(np.nanmean(columns[name])) for name in numbers},
        scales={name: float(np.nanstd(columns[name])) or 1.0 for name in numbers},
        values={name: sorted(set(columns[name]) - {""}) for name in texts},
        weights=[],
    )
    design, wanted = empty.design(columns), np.eye(len(LABELS))[target]
    weights = np.zeros((design.shape[1], len(LABELS)))
    penalty = 1 / (model.logistic_regression.get("C", 1.0) * len(target))
    for _ in range(300):
        gradient = design.T @ (empty.softmax(design @ weights) - wanted) / len(target)
        weights -= 0.5 * (gradient + penalty * weights)
    model.fitted = msgspec.structs.replace(empty, weights=weights.tolist())
    return model


def predict(model: Model, columns: Columns) -> Answer:
    """Return probabilities, shape (rows, labels)."""
    return {"probabilities": export(model).predict(columns)}


def export(model: Model) -> Coefficients:
    """Return what has been fitted."""
    assert model.fitted is not None  # noqa: S101
    return model.fitted


def suggest(trial: optuna.trial.BaseTrial, params: dict[str, Any]) -> dict[str, Any]:
    """Return the section `model` for one trial of a search."""
    return params | {"logistic_regression": {"C": trial.suggest_float("C", 1e-3, 100, log=True)}}
'''
NUMPY_PREDICTOR = '''\
class Coefficients(msgspec.Struct, frozen=True):
    """A softmax regression: `model.json` in a bundle."""

    means: dict[str, float]
    scales: dict[str, float]
    values: dict[str, list[str]]
    weights: list[list[float]]

    def predict(self, inputs: Columns) -> NDArray[np.float32]:
        """Return probabilities, shape (rows, labels), for what the model takes."""
        return self.softmax(self.design(inputs) @ np.array(self.weights)).astype(np.float32)

    def design(self, inputs: Columns) -> NDArray[np.float64]:
        """Return the design matrix."""
        numbers = [np.nan_to_num((inputs[name] - mean) / self.scales[name]) for name, mean in self.means.items()]
        texts = [inputs[name] == value for name, values in self.values.items() for value in values]
        columns = [*numbers, *texts]
        return np.column_stack([*columns, np.ones(len(columns[0]))]).astype(np.float64)

    @staticmethod
    def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return probabilities, shape (rows, labels)."""
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        probabilities: NDArray[np.float64] = odds / odds.sum(axis=1, keepdims=True)
        return probabilities


class NumpyPredictor:
    """A model whose coefficients are read from JSON."""

    def __init__(self, folder: Path, signature: Signature) -> None:
        self.signature = signature
        self._coefficients = msgspec.json.decode((folder / "model.json").read_bytes(), type=Coefficients)

    def predict(self, columns: Columns) -> Answer:
        """Return the answer for columns as a request carries them."""
        return {"probabilities": self._coefficients.predict(self.signature.model_inputs(columns))}


def open_model(folder: Path, signature: Signature, threads: int = 1) -> Predictor:  # noqa: ARG001
    """Return the predictor for a model that has been exported into a folder."""
    return NumpyPredictor(folder, signature)


'''
JSON_GRAPHS = '''\
"""An exported model as a file whose bytes depend on the model alone."""

from pathlib import Path

import msgspec

from ..bundles.predictor import Coefficients


def save(model: Coefficients, path: Path) -> None:
    """Write the coefficients of a model beside where its graph would be."""
    path.with_suffix(".json").write_bytes(msgspec.json.encode(model))
'''

CLASSIFIERS, REGRESSIONS, DETECTORS = ([kind for kind in KINDS if kind["task"] == task] for task in tasks.TABULAR)
TABLES = [*CLASSIFIERS, *REGRESSIONS, *DETECTORS]


@pytest.fixture
def copy(project: Project, tmp_path: Path) -> Project:
    """Return a copy of the project, to be changed."""
    return project.copy(tmp_path / "copy")


def source(project: Project, *names: str) -> set[str]:
    """Return the names of modules as git knows them."""
    return {(project.package / name).relative_to(project.folder).as_posix() for name in names}


def tidy(project: Project) -> None:
    """Do what an editor does when a file is saved."""
    project.tool("uv", "run", "ruff", "check", "--fix", "--quiet", "--select", "F,I")
    project.tool("uv", "run", "ruff", "format", "--quiet")


def prove(project: Project, touched: set[str], *options: str) -> dict[str, Any]:
    """Insist on what has been touched, on all of the project's own checks, and on the path from data to predictions.

    Returns what the service says of its model.
    """
    assert project.touched == touched
    for command in ("ruff check", "ruff format --check", "mypy", "pytest --no-cov"):
        project.tool("uv", "run", *command.split())
    assert project.touched == touched
    project("pipeline", *options)
    example = json.loads(project("example").stdout)
    with project.served() as service:
        status, answer = service.post(example)
        assert status == 200, answer
        known: dict[str, Any] = service.get("/v1/model")
        assert answer["model"] == known["model"]
        assert tasks.IS_SOUND[project.task](answer["predictions"][0])
        assert list(tasks.as_columns(answer["predictions"][0])) == outputs_of(known)
    assert project.touched == touched
    return known


def outputs_of(known: dict[str, Any]) -> list[str]:
    """Return the names of the columns that a model answers."""
    return [column["name"] for column in known["signature"]["outputs"]]


def write(path: Path, head: list[str], rows: list[list[object]]) -> None:
    """Write a table."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *rows])


@pytest.mark.parametrize("project", CLASSIFIERS, ids=name_of, indirect=True)
def test_other_data_with_other_columns_and_three_labels(copy: Project) -> None:
    rng = random.Random(0)
    rows: list[list[object]] = []
    for number in range(1200):
        tenure, plan, size = rng.randint(0, 60), rng.choice(["basic", "plus", "pro"]), rng.uniform(20, 200)
        score = tenure / 20 + ["basic", "plus", "pro"].index(plan) + rng.gauss(0, 0.5)
        outcome = "leaves" if score < 1.5 else "stays" if score > 3 else "not clear yet"
        shown = f"{size:.1f}" if rng.random() < 0.8 else ""
        rest = [rng.choice("abc"), rng.random(), rng.choice(["f", "m", ""]), outcome]
        rows.append([f"C {number}", tenure, plan, shown, *rest])
    head = ["customer id", "Tenure (months)", "plan.type", "größe [m²]", "class", "1st-contact", "Gender?"]
    write(copy.folder / "data/customers.csv", [*head, "what became of it"], rows)
    (copy.package / "schema.py").write_text(CUSTOMERS_SCHEMA, "utf-8")
    copy.parameters((f"source: {copy.source}", "source: data/customers.csv"))
    known = prove(copy, {"data/customers.csv", "params.yaml", *source(copy, "schema.py")})
    assert outputs_of(known) == ["label", "probability_stays", "probability_leaves", "probability_not clear yet"]


@pytest.mark.parametrize("project", REGRESSIONS, ids=name_of, indirect=True)
def test_other_data_with_other_columns_and_a_target_of_either_sign(copy: Project) -> None:
    """The diabetes data of B. Efron et al., "Least angle regression", 2004, as scikit-learn carries them."""
    script = """
from sklearn.datasets import load_diabetes
data = load_diabetes(scaled=False)
for row, target in zip(data.data.tolist(), data.target.tolist(), strict=True):
    print(*row, target - 152, sep=",")
"""
    printed = copy.tool("uv", "run", "python", "-c", script).stdout.splitlines()
    rows: list[list[object]] = []
    for number, line in enumerate(printed):
        age, sex, size, *rest = line.split(",")
        rows.append([f"№ {number}", age, sex.removesuffix(".0"), "" if number % 7 == 0 else size, *rest])
    names = ["Age (years)", "class", "größe [kg/m²]", "1st-pressure", *(f"s.{number}" for number in range(1, 7))]
    write(copy.folder / "data/patients.csv", ["Patient №", *names, "above the average (after a year)"], rows)
    (copy.package / "schema.py").write_text(PATIENTS_SCHEMA, "utf-8")
    copy.parameters((f"source: {copy.source}", "source: data/patients.csv"))
    known = prove(copy, {"data/patients.csv", "params.yaml", *source(copy, "schema.py")})
    assert "0.8 of all rows" in known["signature"]["outputs"][1]["description"]


@pytest.mark.parametrize("project", DETECTORS, ids=name_of, indirect=True)
def test_other_data_with_other_columns_and_few_anomalies(copy: Project) -> None:
    """The breast cancer data of W. Wolberg et al., 1993, as scikit-learn has them, with each sixth malignant row."""
    script = """
from sklearn.datasets import load_breast_cancer
data = load_breast_cancer()
for row, benign in zip(data.data[:, :10].tolist(), data.target, strict=True):
    print(*row, "No" if benign else "Yes", sep=",")
"""
    printed = copy.tool("uv", "run", "python", "-c", script).stdout.splitlines()
    usual, strange = ([line.split(",") for line in printed if line.endswith(end)] for end in ("No", "Yes"))
    rows: list[list[object]] = []
    for number, (size, texture, *rest) in enumerate([*usual, *strange[::6]]):
        kind = "coarse" if float(texture) > 19 else "smooth"
        rows.append([f"№ {number}", kind, "" if number % 7 == 0 else size, *rest])
    names = ["class", "größe [µm]", *(f"{number}.measure" for number in range(1, 9))]
    write(copy.folder / "data/tumours.csv", ["sample №", *names, "is it malignant?"], rows)
    (copy.package / "schema.py").write_text(TUMOURS_SCHEMA, "utf-8")
    copy.parameters((f"source: {copy.source}", "source: data/tumours.csv"))
    known = prove(copy, {"data/tumours.csv", "params.yaml", *source(copy, "schema.py")})
    assert outputs_of(known) == ["score", "is_anomaly"]
    assert 0 < known["signature"]["decision"]["threshold"] < 1


def draw_flower(task: str, rng: random.Random) -> tuple[float, float, object]:
    """Return length, width and kind of a flower: a number, a label, or whether it is between two usual ones."""
    if task == "anomaly_detection":
        is_strange = rng.random() < 0.1
        centre = 5 if is_strange else rng.choice([2, 8])
        return rng.gauss(centre, 0.4), rng.gauss(10 - centre, 0.4), int(is_strange)
    length, width = rng.gauss(5, 1), rng.gauss(3, 1)
    score = length - 5 + rng.gauss(0, 0.5)
    return length, width, score if task == "tabular_regression" else "b" if score > 0 else "a"


@pytest.mark.parametrize("project", TABLES, ids=name_of, indirect=True)
def test_other_data_of_numbers_only(copy: Project) -> None:
    rng = random.Random(0)
    rows: list[list[object]] = []
    for number in range(900):
        length, width, kind = draw_flower(copy.task, rng)
        rows.append([number, length, "" if number % 9 == 0 else width, kind])
    write(copy.folder / copy.source, ["id", "length", "width", "kind"], rows)
    (copy.package / "schema.py").write_text(FLOWERS_SCHEMA.replace("@TARGET@", TARGETS[copy.task]), "utf-8")
    prove(copy, {copy.source, *source(copy, "schema.py")})


@pytest.mark.parametrize("project", TABLES, ids=name_of, indirect=True)
def test_derived_features(champion: Project, copy: Project) -> None:
    shutil.copytree(champion.cwd / "artifacts", copy.folder / "artifacts")
    one, other = DERIVED[copy.task]
    substitute(
        copy.package / "features.py",
        (
            "\n    return columns\n",
            f"""
    rate = columns["{one}"] / columns["{other}"]
    size = np.where(columns["{one}"] > np.pi, "large", "small").astype(object)
    return columns | {{"rate": np.log1p(rate), "size": size}}
""",
        ),
        ("from .core", "import numpy as np\n\nfrom .core"),
    )
    schema = copy.package / "schema.py"
    imports = [("import Column, Number", "import Category, Column, Number")]
    substitute(
        schema,
        (
            "FEATURES: tuple[Column, ...] = INPUTS\n",
            'FEATURES: tuple[Column, ...] = (*INPUTS, Number(name="rate"), Category(name="size"))\n',
        ),
        *(imports if imports[0][0] in schema.read_text("utf-8") else []),
    )
    with copy.served(ready=False) as service:
        service.wait(lambda: b"another version of features.py" in service.request("GET", "/readyz")[1])
    assert "--new-baseline" in copy.refuses("pipeline", code=3)
    known = prove(copy, source(copy, "features.py", "schema.py"), "--new-baseline")
    assert [feature["name"] for feature in known["signature"]["features"]][-2:] == ["rate", "size"]


def test_a_database_instead_of_a_file(copy: Project) -> None:
    with (copy.folder / copy.source).open(newline="") as file:
        head, *rows = csv.reader(file)
    with closing(sqlite3.connect(copy.folder / "data/rows.db")) as database:
        kinds = ["INTEGER" if value.isdigit() else "TEXT" for value in rows[1]]
        columns = ", ".join(f'"{name}" {kind}' for name, kind in zip(head, kinds, strict=True))
        database.execute(f"CREATE TABLE rows ({columns})")
        database.executemany(
            f"INSERT INTO rows VALUES ({', '.join('?' * len(head))})", [[v or None for v in r] for r in rows]
        )
        database.commit()
    was = copy.source
    (copy.folder / was).unlink()
    path = copy.package / "source.py"
    body = re.search(r'def read\(.*?""".*?"""\n(.*?\n)\n', path.read_text("utf-8"), re.S)
    assert body
    read = tasks.READS.get(copy.task, "{}").format('pl.read_database("SELECT * FROM rows", database)')
    query = f"""\
    with closing(sqlite3.connect(params.data.source)) as database:
        return {read}
"""
    substitute(
        path, (body[1], query), ("import polars", "import sqlite3\nfrom contextlib import closing\n\nimport polars")
    )
    copy.parameters((f"source: {was}", "source: data/rows.db"))
    tidy(copy)
    prove(copy, {was, "data/rows.db", "params.yaml", *source(copy, "source.py")})


@pytest.mark.parametrize("project", CLASSIFIERS[:1], ids=name_of, indirect=True)
def test_a_model_that_is_not_onnx(copy: Project) -> None:
    (copy.package / "model.py").write_text(NUMPY_MODEL, "utf-8")
    (copy.package / "core/training/graphs.py").write_text(JSON_GRAPHS, "utf-8")
    path = copy.package / "core/bundles/predictor.py"
    text = path.read_text("utf-8").replace("import onnxruntime as ort\n", "")
    text, count = re.subn(r"class OnnxPredictor:.*?(?=^def load\()", lambda _: NUMPY_PREDICTOR, text, flags=re.S | re.M)
    assert count == 1
    imports = "import msgspec\nimport numpy as np\nfrom numpy.typing import NDArray\n\nfrom ..contract"
    path.write_text(text.replace("from ..contract", imports, 1), "utf-8")
    tidy(copy)
    known = prove(copy, source(copy, "model.py", "core/bundles/predictor.py", "core/training/graphs.py"))
    assert "model.json" in known["manifest"]["files"]
    assert "model.onnx" not in known["manifest"]["files"]
