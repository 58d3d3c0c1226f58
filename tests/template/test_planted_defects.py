"""The proof is itself proven: on small templates, each defect that it exists for is planted, and must be found."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.conftest import Copier
from tests.template import assembly, small
from tests.template.assembly import Assembly, File, assemble, covering, differences, pieces_of, read_project
from tests.template.checks import content_problems, project_problems
from tests.template.combinations import Combination, DefectError, Template, layout_problems, load_yaml

Changes = dict[str, str | None]

README = "template/README.md.jinja"


def prove(root: Path, changes: Changes | None = None) -> Assembly:
    """Assemble the small template with *changes*, by real renders."""
    template = Template(small.write(root / "repo", changes))
    copier = Copier(template.root)
    return assemble(template, lambda project, combination: copier.copy(project, combination.asked), root)


def content_problems_of(assembly: Assembly) -> list[str]:
    """Return every sentence about a file of *assembly*, as ring 1 would."""
    return [f"{file.path}: {problem}" for _, file in assembly.distinct() for problem in content_problems(file)]


def with_question(line: str) -> Changes:
    """Return the small template's questions with one more *line*."""
    return {"copier.yml": small.QUESTIONS + line + "\n"}


# ── Nothing planted ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_small_template_has_no_defect(tmp_path: Path) -> None:
    assembly = prove(tmp_path)
    assert layout_problems(assembly.template) == []
    assert assembly.problems == []
    assert content_problems_of(assembly) == []
    assert [problem for _, project in assembly.projects for problem in project_problems(project)] == []


def test_combinations_are_the_product_without_what_is_not_asked(tmp_path: Path) -> None:
    combinations = Template(small.write(tmp_path)).combinations
    # 3 CI x (aws + gcp in 2 sizes) x docs or not; the size is asked for gcp only, and keeps its default otherwise.
    assert len(combinations) == 3 * (1 + 2) * 2
    assert len({str(combination) for combination in combinations}) == len(combinations)
    assert {combination.answers["size"] for combination in combinations if "size" not in combination.asked} == {"small"}


def test_validators_narrow_the_combinations(tmp_path: Path) -> None:
    changes: Changes = {
        "copier.yml": small.QUESTIONS.replace(
            "cloud: {type: str, choices: [aws, gcp], default: aws}",
            "cloud:\n  type: str\n  default: aws\n  choices:\n    AWS: aws\n    GCP:\n      value: gcp\n"
            "      validator: \"{% if ci == 'gitlab' %}not with GitLab{% endif %}\"\n"
            "  validator: \"{% if cloud == 'aws' and ci == 'none' %}AWS needs CI{% endif %}\"",
        )
    }
    combinations = Template(small.write(tmp_path, changes)).combinations
    pairs = {(combination.answers["ci"], combination.answers["cloud"]) for combination in combinations}
    assert pairs == {("github", "aws"), ("github", "gcp"), ("gitlab", "aws"), ("none", "gcp")}


def test_few_renders_cover_every_file_with_every_answer_it_reads(tmp_path: Path) -> None:
    template = Template(small.write(tmp_path))
    chosen = covering(template)
    every = {piece for combination in template.combinations for piece in pieces_of(template, combination)}
    covered = {piece for combination in chosen for piece in pieces_of(template, combination)}
    assert covered == every
    assert len(chosen) < len(template.combinations) / 2


def test_every_assembled_project_equals_its_whole_render(tmp_path: Path) -> None:
    assembly = prove(tmp_path)
    copier = Copier(assembly.template.root)
    for number, combination in enumerate(assembly.template.combinations):
        whole = read_project(copier.copy(tmp_path / f"whole-{number}", combination.asked))
        answers = yaml.safe_load(whole.pop(".copier-answers.yml").content)
        assert {name: answers.get(name) for name in combination.asked} == combination.asked
        assert differences(assembly.files(combination), whole) == []


def test_a_file_that_reads_nearly_everything_is_rendered_alone_and_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = next(name for name in small.FILES if name.endswith("{{ cloud_gcp }}/deploy/cloud.toml.jinja"))
    changes: Changes = {README: "{{ title }} {{ ci }} {{ cloud }} {{ docs }} {{ size }}\n", cloud: "gcp\n"}
    whole = prove(tmp_path / "whole", changes)
    monkeypatch.setattr(assembly, "MANY", 6)
    few = prove(tmp_path / "few", changes)
    assert few.problems == whole.problems == []
    assert len(few.projects) < len(whole.projects)
    assert few.pieces == whole.pieces
    render = Template.render
    monkeypatch.setattr(Template, "render", lambda *given: render(*given).replace("Churn", "Chum"))
    assert any("README.md is another if it is rendered alone" in p for p in prove(tmp_path / "other", changes).problems)


def test_a_hundredfold_product_stays_cheap(tmp_path: Path) -> None:
    questions = "".join(f"q{n}: {{type: str, choices: [a, b, c], default: a}}\n" for n in range(4))
    files = {f"template/f{n}.txt.jinja": f"{{{{ q{n % 4} }}}}\n" for n in range(20)}
    template = Template(small.write(tmp_path, {"copier.yml": small.QUESTIONS + questions, **files}))
    assert len(template.combinations) == 18 * 3**4
    assert layout_problems(template) == []
    assert len(covering(template)) <= 9


def test_subtrees_are_seen_once_each(tmp_path: Path) -> None:
    trees = [tree for _, tree in prove(tmp_path).subtrees("ci.yml", "login.yml")]
    assert sorted(tree["login.yml"].content for tree in trees) == [b"uses: aws\n", b"uses: gcp\n"]


def test_what_a_file_reads_is_followed_through_partials_and_computed_answers(tmp_path: Path) -> None:
    template = Template(small.write(tmp_path))
    readme = next(source for source in template.sources if source.path.name == "README.md.jinja")
    assert set(readme.reads) == {"title", "region"}
    assert template.questions_behind(readme.reads) == {"cloud"}


# ── Defects of the layout ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        pytest.param(
            {"template/deploy/cloud.toml": "x = 1\n"},
            "both write deploy/cloud.toml with ci=github, cloud=aws, docs=True",
            id="a layer's file hides one of the base",
        ),
        pytest.param(
            {"template/{{ ci_github }}/{{ cloud_gcp }}/deploy/Cloud.toml": "x = 1\n"},
            "both write deploy/cloud.toml with ci=github, cloud=gcp, docs=True, size=small",
            id="two layers collide in some combinations, where case is ignored",
        ),
        pytest.param(
            {"template/{{ cloud_aws }}/{{ cloud_gcp }}/both.txt": "both\n"},
            "{{ cloud_aws }}/{{ cloud_gcp }}/both.txt is written by no combination",
            id="a file is never used",
        ),
        pytest.param(
            {"template/{{ ci_gitlab }}/.gitlab-ci.yml": None},
            "ci_gitlab is a layer without a folder",
            id="a layer is never used",
        ),
        pytest.param(
            with_question("ci_none: {type: str, when: false, default: \"{{ '.' if ci != 'github' else '' }}\"}")
            | {"template/{{ ci_none }}/note.txt": "none\n"},
            "ci_none must be '' with ci=gitlab, cloud=aws, docs=True, not '.'",
            id="a layer is active for another choice",
        ),
        pytest.param(
            with_question("host_local: {type: str, when: false, default: \"{{ '.' if cloud == 'gcp' else '' }}\"}")
            | {"template/{{ host_local }}/note.txt": "local\n"},
            "host_local must be '' with ci=github, cloud=gcp, docs=True, size=small, not '.'",
            id="a layer of a computed answer is active for another value",
        ),
        pytest.param(
            with_question("host_local: {type: str, when: false, default: \"{{ '.' if host == 'local' else '' }}\"}"),
            "host_local is a layer without a folder",
            id="a layer of a computed answer is never used",
        ),
        pytest.param(
            with_question("without: {type: str, when: false, default: \"{{ '.' if ci == 'none' else '' }}\"}")
            | {"template/{{ without }}/note.txt": "none\n"},
            "without is used as a layer, but no question and choice give it that name",
            id="a layer's name says nothing",
        ),
        pytest.param(
            {"template/deploy/{{ cloud_aws }}/x.txt": "x\n"}, "layer folders come first", id="a layer lies deeper"
        ),
        pytest.param(
            {README: "{% if cloud_aws %}AWS{% endif %}\n"}, "reads the layer cloud_aws", id="a file asks for a layer"
        ),
        pytest.param(
            {README: "{% if cloud == 'gcp' and size == 'large' %}{{ typo }}{% endif %}\n"},
            "README.md.jinja reads typo, which no question defines",
            id="an unknown name that one combination reaches",
        ),
        pytest.param({"partials/place.jinja": "{{ nowhere }}"}, "reads nowhere", id="an unknown name in a partial"),
        pytest.param(
            {README: "{% include 'partials/' ~ ci ~ '.jinja' %}\n", "partials/gitlab.jinja": "{{ nowhere }}"},
            "reads nowhere",
            id="an unknown name in a choice's partial",
        ),
        pytest.param(
            with_question("odd: {type: str, when: false, default: \"{% if cloud == 'x' %}{{ nowhere }}{% endif %}\"}"),
            "copier.yml: odd reads nowhere",
            id="an unknown name in a computed answer",
        ),
        pytest.param(
            {README: "{{ _copier_answers.cloud }}\n"}, "reads _copier_answers", id="a file reads what it may not"
        ),
        pytest.param({"template/README.md": "x\n"}, "README.md stands beside", id="a file and its template"),
        pytest.param({"LICENSE.jinja": "x\n"}, "LICENSE.jinja at the repository's root", id="a template at the root"),
        pytest.param(
            {"template/partials/place": "x\n"}, "partials/place is never written", id="a partial hides a file"
        ),
        pytest.param(
            {"template/src/{{ package }}/a.py.jinja": "x = 1\n"}, "is Python with Jinja", id="Jinja in Python"
        ),
        pytest.param({"template/@x/a.txt": "x\n"}, "begins with @", id="a name that marks layers"),
        pytest.param(
            {"template/{% if docs %}docs{% endif %}/a.txt": "x\n"}, "a condition in it", id="a conditional name"
        ),
        pytest.param({"template/{{ title | lower }}.txt": "x\n"}, "Windows cannot hold", id="a name with a filter"),
    ],
)
def test_a_defect_of_the_layout_is_found(tmp_path: Path, changes: Changes, sentence: str) -> None:
    found = layout_problems(Template(small.write(tmp_path, changes)))
    assert any(sentence in problem for problem in found), found


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        pytest.param({README: "{% include 'partials/' ~ ci %}\n"}, "whose name is computed", id="a dynamic include"),
        pytest.param(
            {README: "{% include 'partials/' ~ ci ~ '.jinja' %}\n"},
            "whose name is computed",
            id="no choice has a partial",
        ),
        pytest.param(with_question("odd: {choices: [a], default: a}"), "odd needs `type`", id="no type"),
        pytest.param(with_question("odd: {type: str}"), "odd has no default", id="no default"),
        pytest.param(
            with_question('odd: {type: str, default: a, choices: "{{ [cloud] }}"}'),
            "choices of odd are computed",
            id="computed choices",
        ),
        pytest.param(
            with_question("odd: {type: str, default: [], multiselect: true, choices: [a]}"),
            "odd is a multiselect",
            id="a multiselect",
        ),
        pytest.param(
            with_question("odd: {type: str, default: x, validator: \"{% if odd == 'x' %}no{% endif %}\"}"),
            "the default of odd is refused: no",
            id="a default that is refused",
        ),
        pytest.param(
            with_question("odd: {type: str, when: false, default: \"{{ {'aws': 1}[cloud] }}\"}"),
            "copier.yml: odd: 'dict object' has no attribute 'gcp'",
            id="a computed answer that fails for one choice",
        ),
    ],
)
def test_a_template_that_cannot_be_enumerated_is_refused(tmp_path: Path, changes: Changes, sentence: str) -> None:
    with pytest.raises(DefectError) as caught:
        layout_problems(Template(small.write(tmp_path, changes)))
    assert sentence in str(caught.value)


def test_a_key_given_twice_is_found() -> None:
    with pytest.raises(yaml.YAMLError, match="'ci' is given twice"):
        load_yaml("ci: 1\nother: 2\nci: 3\n")


# ── Defects of the content ──────────────────────────────────────────────────────────────────────────────────────────


def test_an_undefined_item_that_one_combination_reaches_is_found(tmp_path: Path) -> None:
    assembly = prove(tmp_path, {README: "{% if size == 'large' and ci == 'none' %}{{ title.nothing }}{% endif %}\n"})
    (problem,) = assembly.problems
    assert problem.startswith("ci=none, cloud=gcp, docs=")
    assert "README.md.jinja, line 1: UndefinedError" in problem


def test_a_defect_behind_a_partial_and_a_computed_answer_is_found(tmp_path: Path) -> None:
    changes: Changes = {
        "partials/place.jinja": "{% if region.startswith('europe') %}: {{ size }}: [{% else %}0{% endif %}",
        "template/place.yml.jinja": "place: {% include 'partials/place.jinja' %}\n",
        README: None,
    }
    found = content_problems_of(prove(tmp_path, changes))
    assert len(found) == 2  # gcp in two sizes
    assert all(problem.startswith("place.yml: does not parse") for problem in found), found


def test_a_render_that_holds_less_than_expected_is_found(tmp_path: Path) -> None:
    template = Template(small.write(tmp_path / "repo"))
    copier = Copier(template.root)

    def forgetful(project: Path, _: Combination) -> None:
        copier.copy(project).joinpath("README.md").rename(project / "READYOU.md")

    problems = assemble(template, forgetful, tmp_path).problems
    assert any("did not write README.md" in problem for problem in problems)
    assert any("also wrote READYOU.md" in problem for problem in problems)


@pytest.mark.parametrize(
    ("path", "content", "sentence"),
    [
        ("a.toml", 'a = "\\ud83d"\n', "does not parse"),
        ("a.yml", "a: b: c\n", "does not parse"),
        ("a.yaml", "a: 1\na: 2\n", "does not parse"),
        ("a.json", "{'a': 1}\n", "does not parse"),
        ("a.py", "def\n", "does not parse"),
        ("a.py", 'A = "\\d"\n', "does not parse"),
        ("a.md", "# {{ title }}\n", "line 1 holds Jinja"),
        ("a.md", "a\n{% if b %}\n", "line 2 holds Jinja"),
        ("a.py", '"""Tests of {{ package }}."""\n', "line 1 holds Jinja"),
        ("a.md", "a \n", "line 1 ends with blanks"),
        ("a.md", "a\n\n\n\nb\n", "line 1 begins a run of blank lines"),
        ("a.md", "a", "exactly one newline"),
        ("a.md", "a\n\n", "exactly one newline"),
        ("a.md", "\na\n", "begin with text"),
        ("a.md", "a\r\n", "carriage returns"),
        ("a.bin", "a\0b\n", "is binary"),
        ("uv.lock", "a\n", "lock file"),
    ],
)
def test_a_defect_of_a_file_is_found(path: str, content: str, sentence: str) -> None:
    found = list(content_problems(File(path, content.encode(), executable=False)))
    assert any(sentence in problem for problem in found), found


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("ci.yml", "name: ${{ github.ref }}\n"),
        ("a.py", 'A = f"{{{1}}}" + f"{{a}}"\n'),
        ("a.py", ""),
        ("a.md", "a\n\n\nb\n"),
    ],
)
def test_a_file_in_order_is_left_alone(path: str, content: str) -> None:
    assert list(content_problems(File(path, content.encode(), executable=False))) == []


def test_text_of_another_encoding_is_binary() -> None:
    assert list(content_problems(File("a.md", b"\xff\n", executable=False))) == [
        "is binary: an update could not merge it"
    ]


def test_a_defect_of_a_project_is_found(tmp_path: Path) -> None:
    for name, text in {".gitignore": "/build/\n", "build/a.txt": "a\n", "a.py": "import os\nx = ( 1 )\n"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = "\n".join(project_problems(tmp_path))
    assert "build/a.txt is generated but git ignores it" in found
    assert "a.py:1:8: F401" in found
    assert "1 file would be reformatted" in found
