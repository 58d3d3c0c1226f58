"""An account of AWS, for Terraform and for all that a pipeline does there: moto answers, on loopback."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tests.proof.shipping.web import answers, free_port, wait
from tests.terraform import init, terraform
from tests.tools import need

REGION = "eu-central-1"
ACCOUNT = "123456789012"
STATE = f"churn-terraform-{ACCOUNT}"
"""The bucket for the state of Terraform, of a project named `churn`."""
SERVER = Path(__file__).with_name("moto_more.py")

Statement = tuple[frozenset[str], frozenset[str], str]
"""Actions, resources and conditions."""


@dataclass(frozen=True)
class Aws:
    """An account, at *url*; files in the folder *quirks* change how it answers (`moto_more.py`)."""

    url: str
    quirks: Path

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that lead Terraform there."""
        keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
        return {"AWS_ENDPOINT_URL": self.url, "AWS_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true", **keys}

    def call(
        self, path: str, body: bytes | None = None, *, service: str, method: str | None = None, target: str = ""
    ) -> str:
        """Ask an API; the signature is not looked at, only for which service it is."""
        scope = f"Credential=key/20260101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=0"
        headers = {"Authorization": f"AWS4-HMAC-SHA256 {scope}"}
        headers |= {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"} if target else {}
        request = urllib.request.Request(self.url + path, body, headers)
        request.method = method or request.get_method()
        with urllib.request.urlopen(request, timeout=30) as answer:
            return str(answer.read().decode())

    def sagemaker(self, action: str, **parameters: str) -> dict[str, Any]:
        """Ask SageMaker."""
        body = json.dumps(parameters).encode()
        return dict(json.loads(self.call("/", body, service="sagemaker", target=f"SageMaker.{action}")))

    def scaled(self) -> list[dict[str, Any]]:
        """Return what of SageMaker is scaled."""
        body, target = b'{"ServiceNamespace": "sagemaker"}', "AnyScaleFrontendService.DescribeScalableTargets"
        answer = self.call("/", body, service="application-autoscaling", target=target)
        return list(json.loads(answer)["ScalableTargets"])

    def alarms(self) -> set[str]:
        """Return the names of all alarms."""
        form = b"Action=DescribeAlarms&Version=2010-08-01"
        return set(re.findall(r"<AlarmName>(.+?)</AlarmName>", self.call("/", form, service="monitoring")))

    def iam(self, action: str, **parameters: str) -> str:
        """Ask IAM."""
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        return self.call("/", f"Action={action}&Version=2010-05-08&{query}".encode(), service="iam")

    def trust(self, role: str) -> dict[str, Any]:
        """Return the one statement of a role's trust policy, as IAM has it."""
        (statement,) = _document(self.iam("GetRole", RoleName=role), "AssumeRolePolicyDocument")["Statement"]
        assert statement["Effect"] == "Allow"
        return dict(statement)

    def statements(self, role: str) -> set[Statement]:
        """Return what a role allows, as IAM has it; it must have nothing but policies of its own."""
        assert "<PolicyArn>" not in self.iam("ListAttachedRolePolicies", RoleName=role)
        found = set()
        for name in re.findall(r"<member>([\w-]+)</member>", self.iam("ListRolePolicies", RoleName=role)):
            answer = self.iam("GetRolePolicy", RoleName=role, PolicyName=name)
            for statement in _document(answer, "PolicyDocument")["Statement"]:
                assert statement["Effect"] == "Allow"
                assert not statement.keys() & {"NotAction", "NotResource"}
                condition = json.dumps(statement.get("Condition", {}), sort_keys=True)
                found.add((_set(statement["Action"]), _set(statement["Resource"]), condition))
        return found

    def roles(self) -> set[str]:
        """Return the names of all roles."""
        return set(re.findall(r"<RoleName>([\w-]+)</RoleName>", self.iam("ListRoles")))

    def buckets(self) -> set[str]:
        """Return the names of all buckets."""
        return set(re.findall(r"<Name>([\w-]+)</Name>", self.call("/", service="s3")))


def _set(value: str | list[str]) -> frozenset[str]:
    return frozenset([value] if isinstance(value, str) else value)


def _document(answer: str, element: str) -> dict[str, Any]:
    (text,) = re.findall(rf"<{element}>(.*?)</{element}>", answer, re.DOTALL)
    return dict(json.loads(unquote(text.replace("&quot;", '"').replace("&#34;", '"'))))


@contextmanager
def open_account(folder: Path) -> Iterator[Aws]:
    """Yield an account that nobody has touched; what the server needs and says is kept in *folder*."""
    port, log = free_port(), folder / "log"
    python = Path(need("moto_server")).resolve().with_name("python3")
    command = [str(python), str(SERVER), "--host=127.0.0.1", f"--port={port}"]
    variables = {"MOTO_IAM_LOAD_MANAGED_POLICIES": "true", "PATH": "/usr/bin:/bin", "QUIRKS": str(folder)}
    with log.open("w") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output, env=variables)
    try:
        wait(lambda: answers(port, "/moto-api/data.json") or server.poll() is not None, "moto does not answer")
        assert server.poll() is None, log.read_text()
        yield Aws(f"http://127.0.0.1:{port}", folder)
    finally:
        server.terminate()
        server.wait(timeout=30)


def run(folder: Path, *arguments: str, aws: Aws) -> str:
    """Run Terraform, which has to do it, and return what it prints."""
    done = terraform(folder, *arguments, env=aws.environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def apply_infra(infra: Path, aws: Aws) -> None:
    """Apply a project's `infra/` as its README says: the bucket for the state first, and then all else."""
    assert init(infra / "state", env=aws.environment).returncode == 0
    run(infra / "state", "apply", "-auto-approve", "-input=false", f"-var=region={REGION}", aws=aws)
    backend = run(infra / "state", "output", "-raw", "backend", aws=aws)
    (infra / "backend.hcl").write_text(backend, encoding="utf-8")
    admit_insecure_connections(aws, STATE)
    done = init(infra, "-backend-config=backend.hcl", env=aws.environment)
    assert done.returncode == 0, done.stderr
    run(infra, "apply", "-auto-approve", "-input=false", aws=aws)


def admit_insecure_connections(aws: Aws, bucket: str) -> None:
    """Check that a bucket answers over TLS only, and take that back: moto ignores conditions, so it denies all."""
    (statement,) = json.loads(aws.call(f"/{bucket}?policy", service="s3"))["Statement"]
    assert (statement["Effect"], statement["Action"], statement["Principal"]) == ("Deny", "s3:*", "*")
    assert set(statement["Resource"]) == {f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"}
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    aws.call(f"/{bucket}?policy", service="s3", method="DELETE")
