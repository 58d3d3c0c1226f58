"""Stand-ins for what a pipeline calls and this machine has no engine for: registry, cluster, cloud and provider.

They are as real as they can be: what is applied is built by the real kubectl, and then the project's real service runs,
with the model of the release. One file is every command; its first argument says which. All calls are written down.
"""

import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import yaml

STATE = Path(os.environ.get("STUB_STATE", "."))
OPERATORS = ("monitoring.coreos.com",)
"""Groups of kinds that a cluster knows once somebody has installed their operator, which nobody has."""
TOKEN = "token"
"""What CI gives a job to prove who it is."""
COMMAND = os.environ.get("STUB_COMMAND", "")
"""The project's command."""


def docker(*arguments: str) -> int:
    """Be a registry that holds what was pushed, and knows only who has logged in; one identity may push."""
    pushed, login = STATE / "pushed", STATE / "registry"
    if arguments[0] == "login":
        return _log_in("registry", sys.stdin.read().strip())
    if arguments[0] == "buildx" and arguments[1] != "create" and not login.exists():
        return _refuse("unauthorized: authentication required")
    pushes = any("push" in argument for argument in arguments if argument.startswith(("--push", "type=image,")))
    if pushes and _stage(login.read_text()) != "image":
        return _refuse("denied: requested access to the resource is denied")
    if arguments[:3] == ("buildx", "imagetools", "inspect"):
        if arguments[3] not in _lines(pushed):
            return 1
        print(f"Name:      {arguments[3]}\nDigest:    sha256:{hashlib.sha256(arguments[3].encode()).hexdigest()}\n")
    if arguments[:2] == ("buildx", "build") and pushes:
        _write(pushed, arguments[arguments.index("--tag") + 1])
    return 0


def cosign(action: str, *arguments: str) -> int:
    """Sign images and files for a job that can prove who it is, and verify that they were signed as they are now."""
    signing, named = action.startswith("sign"), arguments[-1]
    if signing and not (os.environ.get("SIGSTORE_ID_TOKEN") or os.environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN")):
        return _refuse("Error: signing: no identity token was found, and no browser can be opened to get one")
    if action.endswith("-blob"):
        signature = Path(arguments[arguments.index("--bundle") + 1])
        digest = hashlib.sha256(Path(named).read_bytes()).hexdigest()
        if signing:
            signature.write_text(digest)
        return 0 if signature.read_text() == digest else _refuse("Error: invalid signature when validating the blob")
    if not (STATE / "registry").exists():
        return _refuse("UNAUTHORIZED: authentication required")
    if signing:
        _write(STATE / "signed", named)
    return 0 if named in _lines(STATE / "signed") else 1


def kubectl(*arguments: str) -> int:
    """Be a cluster of one process, in which staging and prod take turns."""
    words = [word for word in arguments if not word.startswith("-")]
    if arguments[0] == "kustomize":
        return subprocess.run([os.environ["STUB_KUBECTL"], *arguments], check=False).returncode
    stage = _stage((STATE / "kubeconfig").read_text()) if (STATE / "kubeconfig").exists() else ""
    if not stage:
        return _refuse("error: You must be logged in to the server (Unauthorized)")
    folders = [Path(word).name for word in words if word.startswith("deploy/")]
    spaces = [arguments[number + 1] for number, word in enumerate(arguments) if word == "--namespace"]
    if any(not name.endswith(stage) for name in [*folders, *spaces]):
        return _refuse(f"Error from server (Forbidden): {stage} may not work in {folders or spaces}")
    if arguments[:2] == ("get", "-k"):
        applied = STATE / f"applied-{stage}.json"
        print(applied.read_text() if applied.exists() else "")
        return 0
    if arguments == ("apply", "--filename", "-"):
        return _apply_all(_read_all(sys.stdin.read()), "again")
    if arguments[:2] == ("apply", "-k"):
        return _refuses(arguments[2]) if "--dry-run=server" in arguments else _apply(arguments[2])
    if "status" in words:
        return _wait()
    if "port-forward" in words:
        _forward(int(words[-1].partition(":")[0]))
    if "create" in words:
        done = subprocess.run([COMMAND, "pipeline"], check=False, capture_output=True, text=True)
        (STATE / "job").write_text(json.dumps({"code": done.returncode, "log": done.stdout + done.stderr}))
    if "logs" in words:
        print(json.loads((STATE / "job").read_text())["log"])
    if "get" in words:
        code = json.loads((STATE / "job").read_text())["code"]
        print(code if "pods" in words else "Failed" if code else "Complete")
    return 0


def aws(*arguments: str) -> int:
    """Be AWS: a role is had for an identity token of CI, by asking for it or from what the environment names."""
    option = _options(arguments)
    if arguments[0] == "sts":
        if option["--web-identity-token"] != TOKEN:
            return _refuse("An error occurred (InvalidIdentityToken)")
        print(f"id\tkey\t{option['--role-arn']}")
        return 0
    role = os.environ.get("AWS_SESSION_TOKEN", "")
    if proof := os.environ.get("AWS_WEB_IDENTITY_TOKEN_FILE"):
        role = os.environ["AWS_ROLE_ARN"] if Path(proof).read_text() == TOKEN else ""
    if arguments[0] == "ecr":
        print(role)
        return 0
    if arguments[0].startswith("sagemaker"):
        stage = _stage(role)
        if not stage or not option["--endpoint-name"].endswith(stage):
            return _refuse(f"An error occurred (AccessDeniedException): {role} may not use {option['--endpoint-name']}")
        return 0 if arguments[1] == "wait" else _use_endpoint(arguments, option)
    return _log_in("kubeconfig", role)


def _use_endpoint(arguments: Sequence[str], option: Mapping[str, str]) -> int:
    """Tell which configuration an endpoint has, or answer as it would: by the container that Terraform has described.

    The project's real service is asked, which is run as SageMaker runs it: by the argument `serve`, with nothing but
    the container's environment; it is waited for until it is healthy, and in the end it has 30 seconds.
    """
    endpoint = _sagemaker("DescribeEndpoint", EndpointName=option["--endpoint-name"])
    if arguments[1] == "describe-endpoint":
        print(endpoint[option["--query"]])
        return 0
    configuration = _sagemaker("DescribeEndpointConfig", EndpointConfigName=endpoint["EndpointConfigName"])
    (variant,) = configuration["ProductionVariants"]
    container = _sagemaker("DescribeModel", ModelName=variant["ModelName"])["PrimaryContainer"]
    model = container["Environment"]["MODEL_URI"]
    _write(STATE / "invoked", f"{endpoint['EndpointName']} {container['Image']} {model}")
    assert container["Environment"].keys() >= {"SERVE_HOST", "SERVE_PORT"}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    here = {"SERVE_HOST": "127.0.0.1", "SERVE_PORT": str(port), "MODEL_CACHE": str(STATE / "cache")}
    cloud = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    with (STATE / "service.log").open("w") as log:
        process = subprocess.Popen(
            [COMMAND, "serve"], env={**cloud, **container["Environment"], **here}, stdout=log, stderr=log, cwd=STATE
        )
    try:
        answer = _invoke(port, Path(option["--body"].removeprefix("fileb://")).read_bytes(), option["--content-type"])
        Path(arguments[-1]).write_bytes(answer)
    finally:
        process.terminate()
        code = process.wait(timeout=30)
    return code


def _invoke(port: int, body: bytes, kind: str) -> bytes:
    """Send a request once the service is healthy."""
    for _ in range(300):
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=2):
            break
        time.sleep(0.2)
    request = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", body, {"Content-Type": kind})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return bytes(answer.read())


def _sagemaker(action: str, **parameters: str) -> dict[str, Any]:
    """Ask the emulator of AWS, which does not look at signatures."""
    credential = f"Credential=key/20260101/{os.environ['AWS_REGION']}/sagemaker/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0",
        "X-Amz-Target": f"SageMaker.{action}",
    }
    headers["Content-Type"] = "application/x-amz-json-1.1"
    request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"], json.dumps(parameters).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return dict(json.loads(answer.read()))


def az(*arguments: str) -> int:
    """Be Azure, whose registry and cluster know whoever has logged in with an identity token of CI."""
    option = _options(arguments)
    login = STATE / "azure"
    if arguments[0] == "login":
        if option["--federated-token"] != TOKEN or not option["--tenant"]:
            return _refuse("AADSTS700024: Client assertion is not within its valid time range")
        login.write_text(option["--username"])
    if arguments[:2] in (("acr", "login"), ("aks", "get-credentials")) and not login.exists():
        return _refuse("Please run 'az login' to setup account.")
    if arguments[:2] == ("acr", "login"):
        return _log_in("registry", login.read_text())
    if arguments[:2] == ("aks", "get-credentials"):
        (STATE / "cluster").touch()
    if arguments[:3] == ("pipelines", "runs", "list"):  # no run has been good yet, so nothing is listed
        known = os.environ.get("AZURE_DEVOPS_EXT_PAT") == TOKEN and option["--pipeline-ids"]
        return 0 if known else _refuse("Before you can run Azure DevOps commands, you need to run the login command")
    return 0


def kubelogin(*arguments: str) -> int:
    """Let kubectl ask the Azure CLI who it is, without which it asks a person."""
    assert arguments == ("convert-kubeconfig", "--login", "azurecli"), arguments
    return _log_in("kubeconfig", (STATE / "azure").read_text()) if (STATE / "cluster").exists() else 1


def gcloud(*arguments: str) -> int:
    """Be Google Cloud, which takes an identity token of CI for that of a service account."""
    option = _options(arguments)
    login = STATE / "google"
    if "create-cred-config" in arguments:
        Path(option["--output-file"]).write_text(json.dumps(option))
    if arguments[:2] == ("auth", "login"):
        config = json.loads(Path(option["--cred-file"]).read_text())
        if command := config.get("--executable-command"):
            done = subprocess.run(command, shell=True, check=True, capture_output=True, text=True)
            proof = json.loads(done.stdout)["id_token"]
        else:
            proof = Path(config["--credential-source-file"]).read_text()
        if proof != TOKEN:
            return _refuse("invalid_grant")
        login.write_text(config["--service-account"])
    if arguments[:2] == ("auth", "configure-docker"):
        return _log_in("registry", login.read_text() if login.exists() else "")
    if arguments[:3] == ("container", "clusters", "get-credentials"):
        return _log_in("kubeconfig", login.read_text() if login.exists() else "")
    return 0


def forget() -> None:
    """Be a runner on which nobody has logged in."""
    for name in ("registry", "kubeconfig", "azure", "cluster", "google"):
        (STATE / name).unlink(missing_ok=True)


def _log_in(place: str, identity: str) -> int:
    if not _stage(identity):
        return _refuse(f"{identity or 'nobody'} is not known here")
    (STATE / place).write_text(identity)
    return 0


def _stage(identity: str) -> str:
    """Return what a stage of CI may do that goes by *identity*: `image`, `train`, `staging`, `prod`, or nothing."""
    return identity.rpartition("/")[2].lower() if identity.startswith("identity-of/") else ""


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


def _options(arguments: Sequence[str]) -> dict[str, str]:
    pairs = zip(arguments, [*arguments[1:], ""], strict=True)
    return {name: value for name, value in pairs if name.startswith("--")}


def gh(*arguments: str) -> int:
    """Keep the text of an issue; there is none yet, and no pull request."""
    if arguments[:2] == ("issue", "create"):
        (STATE / "issue").write_text(sys.stdin.read())
    return 0


def curl(*_: str) -> int:
    """Hand out an identity token, as Azure DevOps and as GitHub does."""
    print(json.dumps({"oidcToken": TOKEN, "value": TOKEN}))
    return 0


def uvx(*arguments: str) -> int:
    """Be uv, which has our command, in a world whose template is a folder."""
    source, *rest = arguments
    assert source.startswith("git+https://"), source  # the name on PyPI is another project's
    assert rest == ["status"], rest
    command = [sys.executable, "-m", "mlscaffold", *rest, "--template", os.environ["STUB_TEMPLATE"]]
    return subprocess.run(command, check=False).returncode


def _refuses(folder: str) -> int:
    """Answer as an API server that knows no kind whose operator is not installed, and changes nothing."""
    built = subprocess.run([os.environ["STUB_KUBECTL"], "kustomize", folder], check=True, capture_output=True)
    kinds = {each["kind"]: each["apiVersion"] for each in yaml.safe_load_all(built.stdout)}
    unknown = {kind: version for kind, version in kinds.items() if version.partition("/")[0] in OPERATORS}
    for kind, version in unknown.items():
        print(f'error: no matches for kind "{kind}" in version "{version}"', file=sys.stderr)
    return 1 if unknown else 0


def _apply(folder: str) -> int:
    built = subprocess.run([os.environ["STUB_KUBECTL"], "kustomize", folder], check=True, capture_output=True)
    return _apply_all(list(yaml.safe_load_all(built.stdout)), folder)


def _read_all(text: str) -> list[dict[str, Any]]:
    """Return the JSON objects that stand one after the other in *text*."""
    decoder, found, position = json.JSONDecoder(), [], 0
    while (position := position + len(text[position:]) - len(text[position:].lstrip())) < len(text):
        each, position = decoder.raw_decode(text, position)
        found.append(each)
    return found


def _apply_all(objects: list[dict[str, Any]], folder: str) -> int:
    """Remember all objects as those that were applied last, and run what serves. What breaks breaks but once."""
    (namespace,) = (each["metadata"]["name"] for each in objects if each["kind"] == "Namespace")
    (STATE / f"applied-{namespace.rpartition('-')[2]}.json").write_text("\n".join(json.dumps(o) for o in objects))
    if folder == "again":
        (STATE / "break").unlink(missing_ok=True)
    for each in objects:
        if (each["kind"], each["metadata"]["name"]) == ("Deployment", "serving"):
            (container,) = each["spec"]["template"]["spec"]["containers"]
            environment = {variable["name"]: variable.get("value", "") for variable in container["env"]}
            _write(STATE / "applied", f"{folder} {container['image']} {environment['MODEL_URI']}")
            _start(environment["MODEL_URI"], environment["RELEASE_IMAGE"])
    return 0


def _start(model: str, image: str) -> None:
    stop()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [COMMAND, "serve", "--port", str(port)]
    if (STATE / "break").exists():
        command = [sys.executable, __file__, "broken", str(port), model, image]
    environment = os.environ | {"MODEL_URI": model, "RELEASE_IMAGE": image, "PREDICTION_LOG_URI": ""}
    with (STATE / "service.log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    (STATE / "service").write_text(f"{process.pid} {port}")


def stop() -> None:
    """Stop the service, if it runs."""
    if (STATE / "service").exists():
        pid = int((STATE / "service").read_text().split()[0])
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        (STATE / "service").unlink()


def _port() -> int:
    return int((STATE / "service").read_text().split()[1])


def _wait() -> int:
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{_port()}/readyz", timeout=1):
                return 0
        except OSError:
            time.sleep(0.2)
    return 1


def _forward(port: int) -> None:
    """Pass connections on to the service until somebody ends this."""

    def pump(source: socket.socket, target: socket.socket) -> None:
        while content := source.recv(65536):
            target.sendall(content)
        target.shutdown(socket.SHUT_WR)

    with socket.create_server(("127.0.0.1", port)) as server:
        while True:
            client, _ = server.accept()
            service = socket.create_connection(("127.0.0.1", _port()))
            for pair in ((client, service), (service, client)):
                threading.Thread(target=pump, args=pair, daemon=True).start()


def broken(port: str, model: str, image: str) -> int:
    """Be a service that is ready and cannot predict."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(200, {"model": model.rpartition("/")[2], "image": image, "signature": {"example": {}}})

        def do_POST(self) -> None:
            self.answer(500, {"detail": "broken"})

        def answer(self, status: int, body: Any) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    HTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()
    return 0


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _write(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(f"{line}\n")


def nothing(*_: str) -> int:
    """Do nothing, well."""
    return 0


COMMANDS: dict[str, Callable[..., int]] = {
    "docker": docker,
    "cosign": cosign,
    "kubectl": kubectl,
    "aws": aws,
    "az": az,
    "gcloud": gcloud,
    "kubelogin": kubelogin,
    "curl": curl,
    "gh": gh,
    "uvx": uvx,
    **dict.fromkeys(["apt-get", "pipx", "sudo"], nothing),
}


def install(folder: Path) -> None:
    """Write an executable for each stand-in into *folder*."""
    folder.mkdir()
    for name in COMMANDS:
        path = folder / name
        path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" {name} "$@"\n')
        path.chmod(0o755)


def main(name: str, arguments: Sequence[str]) -> int:
    """Be the command *name*."""
    _write(STATE / "calls", " ".join([name, *arguments]))
    return COMMANDS[name](*arguments)


if __name__ == "__main__":
    if sys.argv[1] == "broken":
        sys.exit(broken(*sys.argv[2:]))
    sys.exit(main(sys.argv[1], sys.argv[2:]))
