"""The pipelines: by the tools that know each provider, and compared with each other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.template import ci_checks, pipeline_events, pipelines
from tests.template.assembly import Assembly, File
from tests.template.combinations import Combination
from tests.template.pipelines import COMMANDS, PATTERNS, STAGES

Tree = dict[str, File]
Check = Callable[[Sequence[Path]], list[str]]

ACTIONS = {
    "Azure/login": "f5d393ae46f8fde4be8b75f32e3fc50e654ad0ca",
    "actions/checkout": "3d3c42e5aac5ba805825da76410c181273ba90b1",
    "actions/upload-artifact": "bbbca2ddaa5d8feaa63e36b76fdaad77386f024f",
    "astral-sh/setup-uv": "20cfd1bf945f4377ade1205e4dbc17946fc9a30d",
    "aws-actions/configure-aws-credentials": "e6de054238d6b7531b4efff3b6587d9aade6a06c",
    "docker/setup-buildx-action": "37fe631027851001ddb9b187196cc803df7f5f0e",
    "google-github-actions/auth": "7c6bc770dae815cd3e89ee6cdf493a5fab2cc093",
    "google-github-actions/setup-gcloud": "aa5489c8933f4cc7a4f7d45035b3b1440c9c10db",
    "sigstore/cosign-installer": "6f9f17788090df1f26f669e9d70d6ae9567deba6",
}
"""The actions that may be used, each by the commit that its release was looked up to be."""

VERSIONS = re.compile(r"--client-version v[\d.]+ --kubelogin-version v[\d.]+")
"""What the Azure CLI is told to install."""

DEPLOYING = {"staging", "propose", "production"}
LINES = 250


@pytest.fixture(scope="module")
def trees(assembly: Assembly) -> list[tuple[Combination, Tree]]:
    """Return each distinct pipeline, with the scripts that it calls."""
    found = [(c, tree) for c, tree in assembly.subtrees(*PATTERNS, "renovate.json") if c.answers["ci"] != "none"]
    providers = {choice.value for q in assembly.template.questions if q.name == "ci" for choice in q.choices}
    assert {c.answers["ci"] for c, _ in found} == providers - {"none"}
    return found


@pytest.fixture(scope="module")
def projects(trees: list[tuple[Combination, Tree]], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the same on disk."""
    folder = tmp_path_factory.mktemp("pipelines")
    return [
        ci_checks.write(t, folder / str(c.answers["ci"]) / f"{c.answers['cloud']}{n or ''}")
        for c, t, n in numbered(trees)
    ]


def numbered(trees: list[tuple[Combination, Tree]]) -> Iterator[tuple[Combination, Tree, int]]:
    """Yield each tree with how many of the same provider and cloud came before it."""
    seen: Counter[tuple[object, object]] = Counter()
    for c, tree in trees:
        key = (c.answers["ci"], c.answers["cloud"])
        yield c, tree, seen[key]
        seen[key] += 1


def has(c: Combination, stage: str) -> bool:
    """Tell whether a pipeline has a stage: images need containers, and nothing is deployed without a cloud."""
    if stage == "image":
        return c.answers["containers"] == "yes"
    return c.answers["cloud"] != "none" or stage not in DEPLOYING


def of(projects: list[Path], provider: str) -> list[Path]:
    """Return the projects of one provider."""
    return [project for project in projects if project.parent.name == provider]


# ── By the tools that know them ─────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("check", [ci_checks.zizmor, ci_checks.actionlint, ci_checks.checkov])
def test_workflows_are_in_order(check: Check, projects: list[Path]) -> None:
    assert check(of(projects, "github")) == []


def test_every_file_is_what_its_provider_reads(projects: list[Path]) -> None:
    assert ci_checks.schema(projects) == []


def test_every_shell_script_and_block_is_in_order(trees: list[tuple[Combination, Tree]]) -> None:
    assert ci_checks.shellcheck([tree for _, tree in trees]) == []


def test_nothing_silences_a_linter(trees: list[tuple[Combination, Tree]]) -> None:
    for _, tree in trees:
        for path, file in tree.items():
            assert not re.search(r"zizmor: *ignore|shellcheck disable|checkov:skip", file.content.decode()), path
            assert Path(path).name not in {"zizmor.yml", ".shellcheckrc", "actionlint.yaml"}


# ── What the linters do not know ────────────────────────────────────────────────────────────────────────────────────
def test_actions_are_pinned_to_commits_that_were_looked_up(trees: list[tuple[Combination, Tree]]) -> None:
    used = set()
    for _, tree in trees:
        for path in (path for path in tree if path.startswith(".github/") and path.endswith(".yml")):
            for line in re.findall(r"uses: (.+)", tree[path].content.decode()):
                if line.split()[0] == "$/.github/actions/cloud-login":
                    continue
                match = re.fullmatch(r"([\w/-]+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+", line)
                assert match, line
                assert ACTIONS[match[1]] == match[2], line
                used.add(match[1])
    assert used == ACTIONS.keys()


def test_images_are_pinned_to_a_version(trees: list[tuple[Combination, Tree]]) -> None:
    images = set()
    for c, tree in trees:
        if c.answers["ci"] == "gitlab":
            text = tree[".gitlab-ci.yml"].content.decode()
            images |= set(re.findall(r"(?:image:|-) ([\w./-]+:[\w.-]+)\n", text))
    assert images
    assert all(re.search(r":\d+\.\d+\.\d+(-|$)", image) for image in images), images


def unpinned(tree: Tree) -> Iterator[str]:
    """Yield the lines that install for a stage whatever is the newest: kubectl and the plug-ins that log it in."""
    for path, file in tree.items():
        text = file.content.decode().replace("\\\n", " ")
        for line in text.splitlines():
            if "aks install-cli" in line and not VERSIONS.search(line):
                yield f"{path}: {line.strip()}"
            for package in re.findall(r"google-cloud-cli[\w-]*(?![\w=-])", line):
                yield f"{path}: {package}"
        if "setup-gcloud@" in text and not re.search(r"\n +version: [\d.]+\n", text):
            yield f"{path}: setup-gcloud installs the newest"


def test_what_stages_install_has_a_version(trees: list[tuple[Combination, Tree]]) -> None:
    assert [problem for _, tree in trees for problem in unpinned(tree)] == []
    defects = {
        ".gitlab/cloud-login.yml": (b" --kubelogin-version v0.2.18", b"", "azure"),
        ".azuredevops/cloud-login.sh": (b" --client-version v1.34.8", b"", "azure"),
        ".github/actions/cloud-login/action.yml": (b"        version: 579.0.0\n", b"", "gcp"),
    }
    for path, (old, new, cloud) in defects.items():
        tree = next(tree for c, tree in trees if path in tree and c.answers["cloud"] == cloud)
        assert old in tree[path].content
        content = tree[path].content.replace(old, new)
        assert len(list(unpinned({path: File(path, content, executable=False)}))) == 1


def test_stages_agree_across_providers(trees: list[tuple[Combination, Tree]]) -> None:
    for c, tree in trees:
        expected = [stage for stage in STAGES if has(c, stage)]
        found = pipelines.stages(tree)
        assert list(found) == expected, c
        for name, stage in found.items():
            commands = [command for command in COMMANDS.values() if command in "\n".join(stage.blocks)]
            assert commands == [COMMANDS[name]], f"{c}: {name}"
            assert 0 < stage.minutes <= 240, f"{c}: {name}"


def test_what_comes_later_waits_for_what_comes_before(trees: list[tuple[Combination, Tree]]) -> None:
    for c, tree in trees:
        found = pipelines.stages(tree)

        def before(name: str, found: dict[str, pipelines.Stage] = found) -> set[str]:
            return {name}.union(*(before(other) for other in found[name].after))

        assert "check" in before("train"), c
        assert ("image" in before("train")) == has(c, "image"), c
        if c.answers["cloud"] != "none":
            assert {"image", "train"} <= before("staging"), c
            assert "staging" in before("propose"), c
            assert "check" in before("production"), c
            assert "propose" not in before("production"), f"{c}: a person merges in between"
            assert (found["staging"].environment, found["production"].environment) == ("staging", "prod"), c


STARTED = {
    "a pull request": ["check"],
    "a push": ["check", "image", "staging", "propose"],
    "a release": ["check", "image", "staging", "propose", "production"],
    "the weekly schedule": ["check", "image", "train", "staging", "propose", "template"],
    "the schedule for drift": ["check", "image", "train", "staging", "propose"],
    "a run by hand": ["check", "image", "train", "staging", "propose"],
}
FAILING = {
    "check": ["check"],
    "image": ["check", "image"],
    "train": ["check", "image", "train"],
    "staging": ["check", "image", "train", "staging"],
    "propose": ["check", "image", "train", "staging", "propose"],
}


@pytest.mark.parametrize("event", STARTED)
def test_an_event_starts_the_same_stages_on_every_provider(event: str, trees: list[tuple[Combination, Tree]]) -> None:
    for c, tree in trees:
        expected = [stage for stage in STARTED[event] if has(c, stage)]
        found = pipeline_events.run(tree, pipeline_events.EVENTS[event])
        assert [stage for stage in found if stage in STARTED[event] or stage != "template"] == expected, c


def test_nothing_leaves_another_branch(trees: list[tuple[Combination, Tree]]) -> None:
    for c, tree in trees:
        assert pipeline_events.run(tree, pipeline_events.EVENTS["a run by hand elsewhere"]) in ([], ["check"]), c


@pytest.mark.parametrize("stage", FAILING)
def test_a_stage_that_fails_is_the_last(stage: str, trees: list[tuple[Combination, Tree]]) -> None:
    for c, tree in trees:
        if has(c, stage):
            expected = [each for each in FAILING[stage] if has(c, each)]
            assert pipeline_events.run(tree, pipeline_events.EVENTS["a run by hand"], stage) == expected, c


@pytest.mark.parametrize(
    ("path", "text", "replacement", "event", "started"),
    [
        (
            ".github/workflows/pipeline.yml",
            "${{ !failure() && !cancelled() && needs.staging.outputs.model != '' }}",
            "needs.staging.outputs.model != ''",
            "a push",
            ["check", "image", "staging"],
        ),
        (
            "azure-pipelines.yml",
            "    condition: in(dependencies.staging.result, 'Succeeded')\n",
            "",
            "a push",
            ["check", "image", "staging"],
        ),
        (
            ".gitlab-ci.yml",
            "      changes: [deploy/overlays/prod/**/*]",
            "     ",
            "a push",
            ["check", "image", "staging", "propose", "production"],
        ),
    ],
)
def test_a_condition_that_is_forgotten_shows(
    path: str, text: str, replacement: str, event: str, started: list[str], trees: list[tuple[Combination, Tree]]
) -> None:
    tree = dict(next(tree for c, tree in trees if path in tree and c.answers["cloud"] == "aws"))
    content = tree[path].content.decode()
    assert text in content
    tree[path] = File(path, content.replace(text, replacement).encode(), executable=False)
    assert pipeline_events.run(tree, pipeline_events.EVENTS[event]) == started


def test_each_stage_becomes_who_it_has_to_be_and_nobody_else(trees: list[tuple[Combination, Tree]]) -> None:
    identities = {"image": "IMAGE", "train": "TRAIN", "staging": "STAGING", "production": "PROD"}
    for c, tree in trees:
        for name, stage in pipelines.stages(tree).items():
            expected = identities.get(name, "") if c.answers["cloud"] != "none" else ""
            assert stage.identity == expected, f"{c}: {name}"


def test_azure_pipelines_declares_the_connection_whose_token_it_asks_for(trees: list[tuple[Combination, Tree]]) -> None:
    """It refuses the token to a job that does not, with an error; README.md and Terraform call connections alike."""
    for c, tree in trees:
        if c.answers["ci"] == "azure_pipelines" and c.answers["cloud"] != "none":
            text = tree["azure-pipelines.yml"].content.decode()
            for block in text.split("- stage: ")[1:]:
                declared = re.findall(r"azureSubscription: (\S+)", block)
                asked = re.findall(r"  STAGE: (\w+)", block)
                assert declared == [f"{c.answers['project_slug']}-{stage.lower()}" for stage in asked], c


def test_every_variable_is_explained(assembly: Assembly, trees: list[tuple[Combination, Tree]]) -> None:
    for c, tree in trees:
        section = assembly.files(c)["README.md"].content.decode().split("### Variables", 1)[1].split("\n## ")[0]
        table = "\n".join(line.split("|")[1] for line in section.splitlines() if line.startswith("|"))
        explained = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", table))
        assert pipelines.variables_read(tree) == explained, c


def test_nothing_reads_a_secret(trees: list[tuple[Combination, Tree]]) -> None:
    assert [path for _, tree in trees for path in pipelines.secrets_read(tree)] == []


def test_nothing_is_signed_where_public_sigstore_trusts_nobody(trees: list[tuple[Combination, Tree]]) -> None:
    """Of all GitLabs and GitHubs it knows one each; and what is private has to be able to stay out of its log."""
    for c, tree in trees:
        if c.answers["containers"] != "yes":
            assert not any(b"SIGNER" in file.content for file in tree.values()), c
        elif c.answers["ci"] == "gitlab":
            config = pipelines.parse(tree, ".gitlab-ci.yml")
            (rule,) = [rule for rule in config["workflow"]["rules"] if "SIGNER" in rule.get("variables", {})]
            assert "SIGNER" not in config["variables"], c
            assert rule["if"].endswith('$CI_SERVER_HOST == "gitlab.com" && $SIGN != "no"'), c
        elif c.answers["ci"] == "github":
            signer = pipelines.parse(tree, ".github/workflows/pipeline.yml")["env"]["SIGNER"]
            assert "github.server_url == 'https://github.com' && vars.SIGN != 'no' &&" in signer, c


def test_terraform_says_what_ci_wants_to_know(assembly: Assembly, trees: list[tuple[Combination, Tree]]) -> None:
    for c, _ in trees:
        files = assembly.files(c)
        if c.answers["cloud"] == "none":
            continue
        table = files["README.md"].content.decode().split("### Variables", 1)[1]
        rows = [line for line in table.splitlines() if line.endswith("| `terraform output` |")]
        wanted = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}
        output = files["infra/ci.tf"].content.decode().split('output "ci_variables"', 1)[1].split("\n}\n")[0]
        told = set(re.findall(r"\b([A-Z_]+) *=", output)) | {f"IDENTITY_{each}" for each in pipelines.IDENTITIES}
        assert 'IDENTITY_${upper(stage)}" =>' in output, c
        assert wanted <= told, c


def test_a_pipeline_can_be_read_in_five_minutes(trees: list[tuple[Combination, Tree]]) -> None:
    for c, tree in trees:
        own = [p for p in tree if p.endswith(("pipeline.yml", ".gitlab-ci.yml", "azure-pipelines.yml", "action.yml"))]
        own += [p for p in tree if p.startswith((".gitlab/cloud", ".azuredevops/")) and not p.endswith(".md")]
        assert sum(tree[path].content.count(b"\n") for path in own) <= LINES, c


def test_renovate_leaves_releases_alone(assembly: Assembly) -> None:
    for c, tree in assembly.subtrees("renovate.json"):
        ignored = b'"ignorePaths": ["deploy/**/release/**"]' in tree["renovate.json"].content
        assert ignored == (c.answers["deploy"] == "kubernetes")


# ── Planted defects ─────────────────────────────────────────────────────────────────────────────────────────────────
def planted(projects: list[Path], path: str, text: str, replacement: str, target: Path) -> Path:
    """Copy the first project that has *path* to *target*, with a defect in that file."""
    project = next(project for project in projects if (project / path).is_file() and project.name == "aws")
    for source in (source for source in project.rglob("*") if source.is_file()):
        copy = target / source.relative_to(project)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(source.read_bytes())
    content = (target / path).read_text("utf-8")
    assert text in content
    (target / path).write_text(content.replace(text, replacement), "utf-8")
    return target


PIPELINE = ".github/workflows/pipeline.yml"
READ_ONLY = "permissions:\n      contents: read\n    out"
PINNED = f"docker/setup-buildx-action@{ACTIONS['docker/setup-buildx-action']}"


@pytest.mark.parametrize(
    ("check", "path", "text", "replacement", "sentence"),
    [
        pytest.param(ci_checks.zizmor, PIPELINE, PINNED, "docker/setup-buildx-action@v4", "unpinned-uses", id="tag"),
        pytest.param(ci_checks.zizmor, PIPELINE, "persist-credentials", "show-progress", "artipacked", id="token"),
        pytest.param(
            ci_checks.zizmor, PIPELINE, READ_ONLY, "permissions: write-all\n    out", "excessive", id="rights"
        ),
        pytest.param(
            ci_checks.zizmor,
            PIPELINE,
            'train "$REASON"',
            "train ${{ github.head_ref }}",
            "template-inj",
            id="injection",
        ),
        pytest.param(
            ci_checks.actionlint,
            PIPELINE,
            "needs.image.outputs.training",
            "needs.image.outputs.trainin",
            "trainin",
            id="output",
        ),
        pytest.param(ci_checks.actionlint, PIPELINE, "needs: image\n", "needs: imag\n", "imag", id="job"),
        pytest.param(
            ci_checks.checkov, PIPELINE, "permissions: {}", "permissions: write-all", "CKV2_GHA_1", id="checkov"
        ),
        pytest.param(
            ci_checks.schema,
            PIPELINE,
            "runs-on: ubuntu",
            "runs_on: ubuntu",
            "'runs-on' is a required",
            id="github schema",
        ),
        pytest.param(
            ci_checks.schema, ".github/actions/cloud-login/action.yml", "using:", "use:", "actions", id="action schema"
        ),
        pytest.param(ci_checks.schema, ".gitlab-ci.yml", "script:", "scripts:", "gitlab-ci", id="gitlab schema"),
        pytest.param(
            ci_checks.schema, "azure-pipelines.yml", "- stage: train", "- stages: train", "azure", id="azure schema"
        ),
        pytest.param(
            ci_checks.schema, "renovate.json", '"schedule": ["b', '"schedule": [1, "b', "renovate", id="renovate schema"
        ),
    ],
)
def test_a_defect_of_a_file_is_found(
    check: Check, path: str, text: str, replacement: str, sentence: str, projects: list[Path], tmp_path: Path
) -> None:
    found = check([planted(projects, path, text, replacement, tmp_path)])
    assert any(sentence in problem for problem in found), found


@pytest.mark.parametrize(
    ("path", "text", "replacement"),
    [
        ("scripts/image", '"$image:$tag" .', "$image:$tag ."),
        (PIPELINE, 'git diff --quiet "$BEFORE"', "git diff --quiet $BEFORE"),
        (".gitlab/cloud-login.yml", 'printenv "IDENTITY_$STAGE"', "printenv IDENTITY_$STAGE"),
        ("azure-pipelines.yml", '[ -n "$MODEL" ]', "[ -n $MODEL ]"),
    ],
)
def test_a_defect_of_a_script_is_found(
    path: str, text: str, replacement: str, trees: list[tuple[Combination, Tree]]
) -> None:
    tree = dict(next(tree for c, tree in trees if path in tree and c.answers["cloud"] == "aws"))
    content = tree[path].content.decode()
    assert text in content
    tree[path] = File(path, content.replace(text, replacement).encode(), executable=False)
    assert ci_checks.shellcheck([tree])


def test_a_variable_that_nothing_explains_is_found(trees: list[tuple[Combination, Tree]]) -> None:
    for provider, path, text in (
        ("github", PIPELINE, "${{ vars.DEPLOY }}"),
        ("gitlab", "scripts/deploy", "${DEPLOY:-apply}"),
        ("azure_pipelines", "scripts/deploy", "${DEPLOY:-apply}"),
    ):
        tree = dict(next(t for c, t in trees if (c.answers["ci"], c.answers["cloud"]) == (provider, "aws")))
        content = tree[path].content.decode()
        assert text in content
        tree[path] = File(path, content.replace(text, text.replace("DEPLOY", "OTHER")).encode(), executable=False)
        assert "OTHER" in pipelines.variables_read(tree)
