"""The Terraform of every distinct project, each checked by the tool that will read it, or by its schemas."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.template.assembly import Assembly, File
from tests.template.combinations import Template, load_yaml
from tests.template.manifests import write
from tests.terraform import init, terraform
from tests.tools import lack, need

SCHEMAS = Path(__file__).with_name("terraform_schemas.py")
CLOUDS = {"aws", "gcp", "azure"}
SKIP = re.compile(r"#checkov:skip=(\w+):(\S.*)")
CI = {
    "ci_issuer": "https://gitlab.com",
    "ci_subjects": dict.fromkeys(("image", "train", "staging", "prod"), "project_path:a/b:ref_type:branch:ref:main"),
}
GOOD: dict[str, dict[str, object]] = {
    "aws": {"region": "eu-central-1", **CI},
    "gcp": {"project": "acme-ml-123", "region": "europe-west3", **CI},
    "azure": {"subscription_id": "00000000-0000-4000-8000-000000000000", "location": "germanywestcentral", **CI},
}


@dataclass(frozen=True)
class Tree:
    """A distinct `infra/`, with the settings of `deploy/` that it fills in, or the Terraform there."""

    cloud: str
    files: dict[str, File]
    project: Path

    @property
    def root(self) -> Path:
        """Return the folder of the Terraform."""
        return self.project / "infra"

    @property
    def managed(self) -> bool:
        """Tell whether the service is a managed endpoint, which is made by Terraform as well."""
        return "deploy/endpoint.tf" in self.files

    @property
    def roots(self) -> list[Path]:
        """Return the folders that hold Terraform."""
        return [self.root, *([self.project / "deploy"] if self.managed else [])]

    @property
    def modules(self) -> list[Path]:
        """Return the folders that are applied: what remembers the state, and all the rest."""
        return [self.root / "state", *self.roots]

    def copy(self, folder: Path) -> Tree:
        """Return a copy of the tree, to plant a defect in."""
        shutil.copytree(self.project, folder, symlinks=True)  # Terraform links to its providers, which are big
        return Tree(self.cloud, self.files, folder)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace *old*, which must be there."""
        path = self.root / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture(scope="module")
def trees(assembly: Assembly, tmp_path_factory: pytest.TempPathFactory) -> list[Tree]:
    """Return every distinct tree, written to disk."""
    found = []
    for combination, files in assembly.subtrees(
        "infra/*.tf",
        "infra/*.py",
        "deploy/*kustomization.yaml",
        "deploy/*/settings.yaml",
        "deploy/*.tf",
        "deploy/*.tfvars",
    ):
        cloud = str(combination.answers["cloud"])
        assert any(path.startswith("infra/") for path in files) == (cloud in CLOUDS)
        if cloud in CLOUDS:
            found.append(Tree(cloud, files, write(files, tmp_path_factory.mktemp(cloud) / "project")))
    assert {tree.cloud for tree in found if not tree.managed} == CLOUDS
    assert {tree.cloud for tree in found if tree.managed} == {"aws"}
    return found


@pytest.fixture(scope="module")
def clusters(trees: list[Tree]) -> list[Tree]:
    """Return the trees of projects that run on Kubernetes."""
    return [tree for tree in trees if not tree.managed]


@pytest.fixture
def managed(trees: list[Tree], tmp_path: Path) -> Tree:
    """Return a copy of a tree of a managed endpoint."""
    return next(tree for tree in trees if tree.managed).copy(tmp_path / "managed")


@pytest.fixture
def tree_of(clusters: list[Tree], tmp_path: Path) -> dict[str, Tree]:
    """Return a copy of one tree of each cloud with Kubernetes, to plant defects in."""
    return {cloud: tree.copy(tmp_path / cloud) for cloud, tree in {tree.cloud: tree for tree in clusters}.items()}


# ── Terraform ───────────────────────────────────────────────────────────────────────────────────────────────────────


def format_problems(tree: Tree) -> list[str]:
    """Return the files that `terraform fmt` would change."""
    done = terraform(tree.project, "fmt", "-check", "-recursive")
    assert done.stderr == ""
    return done.stdout.splitlines()


def validation_problems(folder: Path) -> list[str]:
    """Return what `terraform validate` says of a root module; skipped where its provider cannot be installed."""
    if (done := init(folder, "-backend=false")).returncode:
        return [done.stderr]
    report = json.loads(terraform(folder, "validate", "-json").stdout)
    return [f"{problem['summary']}: {problem.get('detail', '')}" for problem in report["diagnostics"]]


def test_every_file_is_formatted(trees: list[Tree]) -> None:
    assert [problem for tree in trees for problem in format_problems(tree)] == []


def test_a_file_that_is_not_formatted_is_found(tree_of: dict[str, Tree]) -> None:
    tree_of["gcp"].edit("state/main.tf", 'name                        = "', 'name = "')
    assert format_problems(tree_of["gcp"]) == ["infra/state/main.tf"]


def test_terraform_validates_aws(trees: list[Tree]) -> None:
    folders = [folder for tree in trees if tree.cloud == "aws" for folder in tree.modules]
    assert [problem for folder in folders for problem in validation_problems(folder)] == []


def test_terraform_validates_aws_without_ci(tree_of: dict[str, Tree], managed: Tree) -> None:
    for tree in (tree_of["aws"], managed):
        (tree.root / "ci.tf").unlink()
        assert validation_problems(tree.root) == []


def test_what_is_invalid_of_aws_is_found(tree_of: dict[str, Tree]) -> None:
    tree_of["aws"].edit("storage.tf", "aws_s3_bucket.this.arn", "aws_s3_bucket.this.urn")
    tree_of["aws"].edit("workloads.tf", "aws_iam_role.workload[each.key].id", "aws_iam_role.nobody.id")
    tree_of["aws"].edit("workloads.tf", "assume_role_policy", "assume_role")
    found = "".join(validation_problems(tree_of["aws"].root))
    for sentence in ("Unsupported attribute", "undeclared resource", "Unsupported argument"):
        assert sentence in found


# ── The schemas of Google Cloud and Azure ───────────────────────────────────────────────────────────────────────────


def schema_problems(trees: Mapping[str, Tree]) -> dict[str, list[str]]:
    """Return what does not fit the providers' schemas, by the trees' names; reading the schemas takes seconds."""
    command = ["uv", "run", "--quiet", "--script", str(SCHEMAS), *(str(tree.root) for tree in trees.values())]
    environment = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")}
    offline = environment | {"UV_OFFLINE": "1"}
    done = subprocess.run(command, check=False, capture_output=True, encoding="utf-8", env=offline)
    if done.returncode == 2 or "network was disabled" in done.stderr:
        lack("CDKTF's packages are not in uv's cache (.ci/tools puts them there)")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return {name: found[str(tree.root)] for name, tree in trees.items()}


DEFECTS = {
    "an unknown type": ("gcp", "main.tf", '"google_project_service"', '"google_project_servant"', "has no such type"),
    "an unknown argument": (
        "gcp",
        "storage.tf",
        "public_access_prevention ",
        "public_access ",
        "there is no public_access",
    ),
    "an unknown nested argument": (
        "gcp",
        "registry.tf",
        "immutable_tags",
        "unchanging_tags",
        "there is no unchanging_tags",
    ),
    "an unknown dynamic block": (
        "gcp",
        "storage.tf",
        'dynamic "condition"',
        'dynamic "proviso"',
        "there is no proviso",
    ),
    "a missing argument": ("azure", "ci.tf", "  parent_id           = ", "  #", "parent_id is missing"),
    "an unknown block": ("azure", "cluster/main.tf", "upgrade_settings {", "upgrades {", "there is no upgrades"),
    "an unknown attribute": (
        "azure",
        "registry.tf",
        "azurerm_resource_group.this.location",
        "azurerm_resource_group.this.place",
        "has no attribute place",
    ),
    "an unknown resource": (
        "azure",
        "registry.tf",
        "azurerm_resource_group.this.name",
        "azurerm_resource_group.that.name",
        "that is not declared",
    ),
    "an unknown data source": (
        "gcp",
        "workloads.tf",
        "data.google_project.this",
        "data.google_project.that",
        "that is not declared",
    ),
    "an unknown variable": ("gcp", "ci.tf", "${var.name}-ci", "${var.nane}-ci", "var.nane is not declared"),
    "an unknown local value": (
        "gcp",
        "ci.tf",
        "${local.registry}/",
        "${local.registrar}/",
        "registrar is not declared",
    ),
    "an unknown output": (
        "gcp",
        "cluster.tf",
        "module.cluster[0].name",
        "module.cluster[0].title",
        "has no output title",
    ),
    "a module's missing argument": ("gcp", "cluster.tf", "  region     = var.region\n", "", "needs region"),
    "a module's unknown argument": ("gcp", "cluster.tf", "  region     =", "  place      =", "has no variable place"),
    "an unused variable": (
        "gcp",
        "cluster/variables.tf",
        'variable "name"',
        'variable "unused" {}\nvariable "name"',
        "unused is not used",
    ),
    "another version": ("azure", "main.tf", '"~> 4.55"', '"~> 5.12"', "azurerm is ~> 5.12"),
}


def test_google_cloud_and_azure_fit_their_schemas_and_defects_are_found(trees: list[Tree], tmp_path: Path) -> None:
    every = {f"{tree.cloud} {number}": tree for number, tree in enumerate(trees) if tree.cloud != "aws"}
    sound = {tree.cloud: tree for tree in trees}
    planted = {}
    for name, (cloud, file, old, new, _) in DEFECTS.items():
        planted[name] = sound[cloud].copy(tmp_path / name)
        planted[name].edit(file, old, new)
    for cloud, tree in sound.items():
        if cloud != "aws":
            every[f"{cloud} without CI"] = tree.copy(tmp_path / cloud)
            (tmp_path / cloud / "infra/ci.tf").unlink()
    found = schema_problems(every | planted)
    assert {name: found[name] for name in every if found[name]} == {}
    missed = {n: found[n] for n, (*_, sentence) in DEFECTS.items() if not any(sentence in p for p in found[n])}
    assert missed == {}


def forgotten(tree: Tree) -> list[str]:
    """Return the rules by which a registry deletes what has no tag: signatures, attestations, the parts of an image."""
    rules = re.compile(r'(?i)\btag_?(?:status|state)\s*=\s*"(?:untagged|any)"')
    return [
        str(path.relative_to(tree.root)) for path in tree.root.rglob("*.tf") if rules.search(path.read_text("utf-8"))
    ]


def test_no_registry_forgets_what_has_no_tag(trees: list[Tree], tree_of: dict[str, Tree]) -> None:
    assert [file for tree in trees for file in forgotten(tree)] == []
    rules = {
        "aws": 'jsonencode({ rules = [{ selection = { tagStatus = "untagged", countNumber = 14 } }] })',
        "gcp": 'cleanup_policies {\n condition {\n  tag_state  = "UNTAGGED"\n }\n}',
    }
    for cloud, rule in rules.items():
        tree_of[cloud].edit("registry.tf", "locals {", f"# {rule}\nlocals {{")
        assert forgotten(tree_of[cloud]) == ["registry.tf"]


def closed_lists(tree: Tree) -> list[str]:
    """Return the access policies of EKS that CI is given: lists of API groups, which no operator's kinds can join."""
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(tree.root.rglob("*.tf")))
    return re.findall(r"AmazonEKS\w*(?:View|Edit|Admin)Policy", text)


def test_ci_may_apply_whatever_kinds_a_cluster_knows(tree_of: dict[str, Tree]) -> None:
    tree = tree_of["aws"]
    assert closed_lists(tree) == []
    for stage in ("staging", "prod"):
        assert f'{stage} = "cluster-admin"' in output(tree, "role_bindings")
    tree.edit(
        "ci.tf", "kubernetes_groups =", 'policy_arn = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSAdminPolicy" #'
    )
    assert closed_lists(tree) == ["AmazonEKSAdminPolicy"]


CLUSTERS = {
    "aws": (r'support_type = "STANDARD"', r"retention_in_days = \d+", r"availability_zone = data\.\S+\[count\.index\]"),
    "gcp": (r'recurrence = "FREQ=WEEKLY', r"location += var\.region"),
    "azure": (r"zones += var\.zones", r"maintenance_window_auto_upgrade", r"maintenance_window_node_os"),
}
"""What a cluster made here has: nodes in zones, upgrades when nobody works, logs that end, no extended support."""


def test_clusters_span_zones_and_are_upgraded_when_nobody_works(clusters: list[Tree], tree_of: dict[str, Tree]) -> None:
    def missing(tree: Tree) -> list[str]:
        text = "".join(path.read_text(encoding="utf-8") for path in sorted((tree.root / "cluster").glob("*.tf")))
        return [wanted for wanted in CLUSTERS[tree.cloud] if not re.search(wanted, text)]

    assert [problem for tree in clusters for problem in missing(tree)] == []
    tree_of["azure"].edit("cluster/main.tf", "    zones                = var.zones\n", "")
    assert missing(tree_of["azure"]) == [r"zones += var\.zones"]


# ── Variables ───────────────────────────────────────────────────────────────────────────────────────────────────────


def undescribed(tree: Tree) -> Iterator[str]:
    """Yield the variables and outputs that nobody has described, and the variables without a type."""
    for path in sorted(path for root in tree.roots for path in root.rglob("*.tf")):
        for kind, name, body in re.findall(r'(?ms)^(variable|output) "(\w+)" \{\n(.*?)^\}', path.read_text("utf-8")):
            for needed in ("description", "type") if kind == "variable" else ("description",):
                if not re.search(rf"^  {needed} +=", body, re.MULTILINE):
                    yield f"{path.relative_to(tree.project)}: {kind} {name} has no {needed}"


def refusal(variables: str, given: Mapping[str, object], folder: Path) -> str:
    """Return why values of the variables are refused, or nothing; Terraform needs no provider to tell."""
    folder.mkdir(exist_ok=True)
    (folder / "variables.tf").write_text(variables, encoding="utf-8")
    (folder / "terraform.tfvars.json").write_text(json.dumps(given), encoding="utf-8")
    done = terraform(folder, "plan", "-input=false")
    return re.sub(r"[\s│╷╵]+", " ", done.stderr)


def test_every_variable_and_output_is_described(trees: list[Tree], tree_of: dict[str, Tree]) -> None:
    assert [problem for tree in trees for problem in undescribed(tree)] == []
    tree_of["aws"].edit("cluster/variables.tf", "  description =", "  #")
    assert list(undescribed(tree_of["aws"])) == ["infra/cluster/variables.tf: variable name has no description"]


ENTRA = "/eid1/c/pub/t/MiSI_7AJe0O9IsoTwAN97Q/a/rISbSSETf0KqFyZ8ppdXmA/sc/0ca3ddd9-f0b0-4635-a98c-5866526961b6/"
TOOLS = {
    "gh": "echo repo:acme@12/churn@34",
    "glab": """echo '{"path_with_namespace": "acme/team/churn"}'""",
    "gcloud": 'case "$3" in project) echo acme-ml-123 ;; *) echo europe-west3 ;; esac',
    "aws": "echo eu-central-1",
    "az": f"""case "$*" in
        "account show --query id "*) echo 00000000-0000-4000-8000-000000000000 ;;
        "account show --query tenantId "*) echo ff882432-09b0-437b-bd22-ca13c0037ded ;;
        "config get "*) echo germanywestcentral ;;
        *"name=='a-"*) name=${{*#*=\\'a-}}; echo {ENTRA}"${{name%%\\'*}}" ;;
    esac""",
}
"""What the command lines of the clouds and of CI say of an account, by what is asked first."""

CLAIMS = {
    "github": ("https://token.actions.githubusercontent.com", "repo:acme@12/churn@34:environment:prod"),
    "gitlab": ("https://gitlab.com", "project_path:acme/team/churn:ref_type:branch:ref:main"),
    "azure_pipelines": ("https://login.microsoftonline.com/ff882432-09b0-437b-bd22-ca13c0037ded/v2.0", f"{ENTRA}prod"),
}
CLAIMS["none"] = CLAIMS["github"]
"""What `iss` and `sub` of the tokens of the stage prod are."""


def test_the_readme_tells_terraform_all_it_asks(assembly: Assembly, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, script in TOOLS.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (tools / name).chmod(0o755)
    pairs = [(c, files) for c, files in assembly.subtrees("infra/*") if c.answers["cloud"] in CLOUDS]
    assert {(c.answers["cloud"], c.answers["ci"]) for c, _ in pairs} == {(a, b) for a in CLOUDS for b in CLAIMS}
    for number, (combination, files) in enumerate(pairs):
        folder = tmp_path / str(number)
        (folder / "infra").mkdir(parents=True)
        readme = files["infra/README.md"].content.decode()
        (block,) = [b for b in re.findall(r"(?ms)^   ```sh\n(.*?)^   ```$", readme) if "> infra/terraform.tfvars" in b]
        block = block.replace(f"{combination.answers['project_slug']}-$1", "a-$1")
        variables = os.environ | {"PATH": f"{tools}:{os.environ['PATH']}"}
        subprocess.run(["sh", "-eu", "-c", textwrap.dedent(block)], check=True, cwd=folder, env=variables)
        written = (folder / "infra/terraform.tfvars").read_text(encoding="utf-8")
        issuer, subject = CLAIMS[str(combination.answers["ci"])]
        assert f'ci_issuer = "{issuer}"\n' in written
        assert f'  prod = "{subject}"\n' in written
        texts = (files[f"infra/{name}"].content.decode() for name in ("variables.tf", "ci.tf"))
        (folder / "infra/variables.tf").write_text(_declared(texts), encoding="utf-8")
        assert terraform(folder / "infra", "plan", "-input=false").stderr == ""


SUBJECTS = {stage: f"repo:acme@12/churn@34:environment:{stage}" for stage in ("image", "train", "staging", "prod")}


@pytest.mark.parametrize("cloud", sorted(CLOUDS))
@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"ci_subjects": SUBJECTS}, ""),
        ({"name": "a"}, ""),
        ({"ci_issuer": "http://token.example.com"}, "must be an https URL"),
        ({"ci_issuer": "https://token.example.com/"}, "must be an https URL"),
        ({"ci_subjects": SUBJECTS | {"prod": "repo:acme/churn:*"}}, "no wildcard"),
        ({"ci_subjects": SUBJECTS | {"prod": "x' || true || '"}}, "no wildcard"),
        ({"ci_subjects": SUBJECTS | {"prod": ""}}, "no wildcard"),
        ({"ci_subjects": {"prod": SUBJECTS["prod"]}}, "Each of image, train, staging and prod"),
        ({"name": "a" * 25}, "The name must be at most"),
        ({"name": "Churn"}, "The name must be at most"),
        ({"name": "a--b"}, "The name must be at most"),
        ({"prediction_log_days": 1}, "keep the log for at least 7"),
    ],
)
def test_variables_are_validated(
    trees: list[Tree], cloud: str, given: dict[str, object], sentence: str, tmp_path: Path
) -> None:
    tree = next(tree for tree in trees if tree.cloud == cloud)
    found = refusal(_variables(tree), GOOD[cloud] | given, tmp_path)
    assert sentence in found
    assert bool(found) == bool(sentence)


@pytest.mark.parametrize("project_name", ["A", "Anything that may be as long as fifty characters a"])
def test_the_shortest_and_the_longest_project_have_names_that_do(
    template: Template, project_name: str, tmp_path: Path
) -> None:
    paths = {"infra/variables.tf", "infra/state/variables.tf"}
    for cloud in sorted(CLOUDS):
        combination = template.answer({"project_name": project_name, "cloud": cloud})
        sources = [source for source in template.sources if str(template.path_of(source, combination)) in paths]
        assert len(sources) == len(paths)
        for number, source in enumerate(sources):
            text = template.render(template.text_of(source.path), combination.answers)
            given = {name: value for name, value in GOOD[cloud].items() if f'variable "{name}"' in text}
            assert refusal(text, given, tmp_path / f"{cloud}-{number}") == ""


# ── Checkov ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def checkov(folder: Path) -> dict[str, Counter[str]]:
    """Return how often checkov finds what in each tree below *folder*, as "file: check", by the tree's name.

    One run is for all of them, because it takes seconds to start.
    """
    command = [need("checkov"), "--framework=terraform", "--skip-download", "--compact", "--output=json"]
    done = subprocess.run([*command, f"--directory={folder}"], check=False, capture_output=True, encoding="utf-8")
    results = json.loads(done.stdout)["results"]
    assert not results["parsing_errors"]
    found = {tree.name: Counter[str]() for tree in folder.iterdir()}
    assert {Path(check["file_path"]).parts[1] for check in results["passed_checks"]} == found.keys()
    failed = {(c["file_path"], c["check_id"], c["file_line_range"][0]) for c in results["failed_checks"]}
    for file, check, _ in failed:  # a block counts once, however many resources it makes
        _, tree, *rest = Path(file).parts
        found[tree][f"{'/'.join(rest)}: {check}"] += 1
    return found


WEAKNESSES = {
    "a public bucket": ("aws", "storage.tf", "block_public_acls       = true", "", "storage.tf: CKV_AWS_53"),
    "tags that move": ("aws", "registry.tf", '"IMMUTABLE"', '"MUTABLE"', "registry.tf: CKV_AWS_51"),
    "a star": (
        "aws",
        "permissions.tf",
        '["${aws_s3_bucket.this.arn}/models/bundles/*"]',
        '["*"]',
        "permissions.tf: CKV_AWS_356",
    ),
    "rights of objects": ("gcp", "storage.tf", "uniform_bucket_level_access = true", "", "storage.tf: CKV_GCP_29"),
    "shared keys": ("azure", "storage.tf", "shared_access_key_enabled       = false", "", "storage.tf: CKV2_AZURE_40"),
}


def test_checkov_finds_what_is_suppressed_or_planted_and_nothing_else(
    trees: list[Tree], clusters: list[Tree], tmp_path: Path
) -> None:
    sound, suppressed = [], {}
    for number, root in enumerate(root for tree in trees for root in tree.roots):
        sound.append(shutil.copytree(root, tmp_path / f"{root.name} {number}", symlinks=True).name)
        bare = shutil.copytree(root, tmp_path / f"{root.name} {number} without suppressions", symlinks=True)
        suppressed[bare.name] = Counter[str]()
        for path in bare.rglob("*.tf"):
            text = path.read_text(encoding="utf-8")
            file = path.relative_to(bare).as_posix()
            suppressed[bare.name].update(f"{file}: {check}" for check, _ in SKIP.findall(text))
            path.write_text(SKIP.sub("#", text), encoding="utf-8")
    planted = {tree.cloud: tree.copy(tmp_path.with_name(f"{tmp_path.name} {tree.cloud}")) for tree in clusters}
    for cloud, file, old, new, _ in WEAKNESSES.values():
        planted[cloud].edit(file, old, new)
    for cloud, tree in planted.items():
        tree.root.rename(tmp_path / cloud)
    found = checkov(tmp_path)
    assert {name: found[name] for name in sound if found[name]} == {}
    assert {name: found[name] for name in suppressed} == suppressed
    assert [name for name, (cloud, *_, sentence) in WEAKNESSES.items() if sentence not in found[cloud]] == []


def test_every_suppression_says_why(trees: list[Tree]) -> None:
    for path in (path for tree in trees for root in tree.roots for path in root.rglob("*.tf")):
        text = path.read_text(encoding="utf-8")
        assert text.count("checkov:skip") == len(SKIP.findall(text)), path


# ── Agreement with deploy/ ──────────────────────────────────────────────────────────────────────────────────────────


def service_accounts(tree: Tree) -> set[tuple[str, str]]:
    """Return the namespaces and service accounts of `deploy/`."""
    found = set()
    for folder in ("overlays/staging", "overlays/prod", "train"):
        (document,) = load_yaml((tree.project / "deploy" / folder / "kustomization.yaml").read_text(encoding="utf-8"))
        parts = Counter(Path(part).name for part in [*document["resources"], *document["components"]])
        accounts = {"base": "serving", "drift": "drift", "cronjob.yaml": "training"}
        found |= {(document["namespace"], account) for part, account in accounts.items() if parts[part]}
    return found


def identities(tree: Tree) -> set[tuple[str, str]]:
    """Return the namespaces and service accounts to which Terraform gives an identity."""
    text = (tree.root / "workloads.tf").read_text(encoding="utf-8")
    (namespace,) = re.findall(r'variable "namespace".*?default += "(.*?)"', _variables(tree), re.DOTALL)
    pattern = r"\$\{var\.namespace\}-(\w+)(?:\", account = \"|/sa/|:)(\w+)\""
    return {(f"{namespace}-{stage}", account) for stage, account in re.findall(pattern, text)}


def _variables(tree: Tree) -> str:
    return _declared((tree.root / name).read_text(encoding="utf-8") for name in ("variables.tf", "ci.tf"))


def _declared(texts: Iterable[str]) -> str:
    """Return the declarations of variables alone, for which Terraform needs no provider."""
    return "\n".join(block for text in texts for block in re.findall(r'(?ms)^variable "\w+" \{.*?^\}', text))


def output(tree: Tree, name: str) -> str:
    """Return the block of an output."""
    text = "".join((tree.root / file).read_text(encoding="utf-8") for file in ("outputs.tf", "ci.tf"))
    (block,) = re.findall(rf'(?ms)^output "{name}" \{{.*?^\}}', text)
    return str(block)


def upper_names(text: str) -> list[str]:
    """Return the names of settings or variables that are given a value."""
    return re.findall(r"\b([A-Z_]{3,}) +=", text)


def settings(tree: Tree) -> dict[str, dict[str, str]]:
    """Return the settings that Terraform puts out, with made-up values."""
    _, *parts = re.split(r'(?m)^    "([\w/]+)" +=', output(tree, "settings"))
    texts = dict(zip(parts[::2], parts[1::2], strict=True))
    return {folder: {name: f"{folder}: {name}" for name in upper_names(text)} for folder, text in texts.items()}


def apply_settings(tree: Tree, values: object) -> subprocess.CompletedProcess[str]:
    """Run settings.py as the README says."""
    command = [sys.executable, str(tree.root / "settings.py")]
    return subprocess.run(command, check=False, input=json.dumps(values), capture_output=True, encoding="utf-8")


def test_terraform_and_deploy_agree_on_service_accounts(clusters: list[Tree], tree_of: dict[str, Tree]) -> None:
    for tree in clusters:
        assert len(identities(tree)) == 4
        assert identities(tree) == service_accounts(tree)
    tree_of["azure"].edit("workloads.tf", ":drift", ":drifter")
    assert identities(tree_of["azure"]) != service_accounts(tree_of["azure"])


def test_every_setting_that_terraform_knows_is_written(tree_of: dict[str, Tree]) -> None:
    for tree in tree_of.values():
        values = settings(tree)
        assert set(values) == {"overlays/staging", "overlays/prod", "train"}
        assert all(values.values())
        done = apply_settings(tree, values)
        assert done.returncode == 0, done.stderr
        for folder, expected in values.items():
            path = tree.project / "deploy" / folder / "settings.yaml"
            (document,) = load_yaml(path.read_text(encoding="utf-8"))
            assert expected.items() <= document["data"].items()
            before = tree.files[f"deploy/{folder}/settings.yaml"].content.decode()
            assert [line for line in path.read_text("utf-8").splitlines() if "#" in line] == [
                line for line in before.splitlines() if "#" in line
            ]


def test_a_setting_that_deploy_does_not_have_is_refused(tree_of: dict[str, Tree]) -> None:
    done = apply_settings(tree_of["aws"], {"train": {"STORE_URL": "s3://x"}})
    assert done.returncode == 1
    assert "has no setting STORE_URL" in done.stderr
    assert "Traceback" not in done.stderr


def test_ci_finds_the_same_variables_on_every_cloud(trees: list[Tree]) -> None:
    for tree in trees:
        block = output(tree, "ci_variables")
        wanted = {"REGION", "IMAGE", "TRAIN_IMAGE", "STORE_URI", "PREDICTION_LOG_URI"}
        assert wanted <= set(upper_names(block))
        assert ("CLUSTER" in upper_names(block)) != tree.managed
        assert '"IDENTITY_${upper(stage)}"' in block


def missing_variables(tree: Tree) -> set[str]:
    """Return the variables of a managed endpoint that neither a release nor settings nor `infra/` give a value."""
    deploy = tree.project / "deploy"
    given = {"image", "model", *re.findall(r"(?m)^    (\w+) +=", output(tree, "settings"))}
    found = set()
    for settings in deploy.glob("*/settings.tfvars"):
        names = given | set(re.findall(r"(?m)^(\w+) +=", settings.read_text("utf-8")))
        found |= names ^ set(re.findall(r'(?m)^variable "(\w+)"', (deploy / "variables.tf").read_text("utf-8")))
    return found


def test_a_managed_endpoint_is_told_all_that_it_asks(managed: Tree) -> None:
    assert len(list(managed.project.glob("deploy/*/settings.tfvars"))) == 2
    assert missing_variables(managed) == set()
    managed.edit("outputs.tf", "    kms_key_arn ", "    key ")
    assert missing_variables(managed) == {"key", "kms_key_arn"}
