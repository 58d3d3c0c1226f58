"""A release: the one small file of an environment that says which image runs there, and with which model.

Reverting the commit that changed it takes the release back. For Kubernetes it is a kustomize component, so whatever
applies `deploy/overlays/ENV` applies the release with it. Name and digest of an image stand together there because
kustomize drops a digest that is set for a name which something else has changed; the model is a literal in the pod's
template, so that old and new pods each keep their own. For a managed endpoint it holds variables of Terraform.
"""

import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

from ..errors import ProjectError

DEPLOY = Path("deploy")
TRAINING = "train"

_WORD = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_IMAGE = re.compile(rf"(?P<name>[A-Za-z0-9.-]+(?::\d+)?(?:/{_WORD})+)(?::[\w.-]+)?@(?P<digest>sha256:[0-9a-f]{{64}})")
_MODEL = re.compile(r"(?:(?:s3|gs|az):/)?(?:/[A-Za-z0-9._~=-]+)+/[0-9a-f]{64}")

_IMAGE_TEXT = """\
# Written by the project's `release` command; `git revert` takes it back.
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
images:
  - name: {container}
    newName: {name}
    digest: {digest}
"""
_MODEL_TEXT = """\
patches:
  - target: {{kind: Deployment, name: serving}}
    patch: |
      apiVersion: apps/v1
      kind: Deployment
      metadata:
        name: serving
      spec:
        template:
          spec:
            containers:
              - name: serving
                env:
                  - name: MODEL_URI
                    value: "{model}"
                  - name: RELEASE_IMAGE
                    value: "{name}@{digest}"
  - target: {{kind: CronJob, name: drift}}
    patch: |
      apiVersion: batch/v1
      kind: CronJob
      metadata:
        name: drift
      spec:
        jobTemplate:
          spec:
            template:
              spec:
                containers:
                  - name: drift
                    env:
                      - name: MODEL_URI
                        value: "{model}"
"""


class Release(NamedTuple):
    """What runs in an environment: an image by its digest, and the URI of a bundle, which training has none of."""

    image: str
    model: str


def read(environment: str, deploy: Path = DEPLOY) -> Release | None:
    """Return what is to run in an environment, or None before its first release.

    Raises:
        ProjectError: there is no such environment, or its file is not one that `write` has made.
    """
    path = _file(environment, deploy)
    try:
        release = _read_variables(path) if path.suffix == ".json" else _read_component(path, environment)
        if release is None:
            return None
        if _IMAGE.fullmatch(release.image) and (environment == TRAINING or _MODEL.fullmatch(release.model)):
            return release
    except (LookupError, TypeError, ValueError):
        pass
    raise ProjectError(f"{path} is not a release: revert what has changed it, or write it anew by `release`")


def _read_variables(path: Path) -> Release | None:
    """Return what variables of Terraform say."""
    found = json.loads(path.read_text(encoding="utf-8"))
    return Release(**found) if found else None


def _read_component(path: Path, environment: str) -> Release | None:
    """Return what a kustomize component says."""
    from ruamel.yaml import YAML  # the service has no YAML, and reads no release
    from ruamel.yaml.error import YAMLError

    yaml = YAML(typ="safe")
    try:
        document = yaml.load(path)
        (image,) = document["images"]
        if "digest" not in image:
            return None
        model = ""
        if environment != TRAINING:
            serving = yaml.load(document["patches"][0]["patch"])["spec"]["template"]["spec"]
            (container,) = serving["containers"]
            model = {variable["name"]: variable["value"] for variable in container["env"]}["MODEL_URI"]
    except YAMLError as error:
        raise ValueError(str(error)) from error
    return Release(f"{image['newName']}@{image['digest']}", model)


def write(environment: str, image: str, model: str = "", deploy: Path = DEPLOY) -> Path:
    """Write what is to run in an environment, whole or not at all, and return the file.

    Args:
        environment: A folder below `deploy/overlays` or, for a managed endpoint, below `deploy`; or "train".
        image: An image by its digest, `registry/name@sha256:…`; a tag is left out.
        model: The URI of a bundle, or its absolute path in the pod; training has none.
        deploy: The folder of the manifests, or of Terraform's files.

    Raises:
        ProjectError: there is no such environment, or image or model could change under their names.
    """
    path = _file(environment, deploy)
    named = _IMAGE.fullmatch(image)
    if named is None:
        raise ProjectError(f"--image must be registry/name@sha256:… with the 64 digits of its digest, not {image!r}")
    if environment == TRAINING:
        if model:
            raise ProjectError("training makes models and is given none: leave --model out")
        text = _IMAGE_TEXT.format(container="training", **named.groupdict())
    else:
        if not _MODEL.fullmatch(model):
            raise ProjectError(
                "--model must be the s3://, gs:// or az:// URI of a bundle, or its absolute path in the pod, and end "
                f"with the bundle's id of 64 digits; not {model!r}"
            )
        if path.suffix == ".json":
            text = json.dumps({"image": f"{named['name']}@{named['digest']}", "model": model}, indent=2) + "\n"
        else:
            text = (_IMAGE_TEXT + _MODEL_TEXT).format(container="serving", model=model, **named.groupdict())
    _replace(path, text)
    return path


def _file(environment: str, deploy: Path) -> Path:
    """Return the file of an environment's release."""
    name = "release/kustomization.yaml"
    found = [*sorted(deploy.glob(f"overlays/*/{name}")), deploy / TRAINING / name]
    files = {path.parent.parent.name: path for path in found if path.is_file()}
    files |= {path.parent.name: path for path in sorted(deploy.glob("*/release.tfvars.json"))}
    if not files:
        raise ProjectError(f"there is no environment below {deploy.absolute()}: run this in the project's folder")
    if environment not in files:
        raise ProjectError(f"there is no environment {environment!r}, only {', '.join(files)}")
    return files[environment]


def _replace(path: Path, text: str) -> None:
    """Put a text in the place of a file at once, so that nobody ever applies half of it."""
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".release-") as folder:
            part = Path(folder, path.name)
            part.write_text(text, encoding="utf-8", newline="\n")
            shutil.copymode(path, part)
            part.replace(path)
    except OSError as error:
        raise ProjectError(f"the release cannot be written: {error}") from error
