"""Build a generated Dockerfile and run what came out, with neither a container engine nor a registry at hand.

buildah builds without a daemon. The images that a Dockerfile begins with cannot be pulled everywhere, so each gets a
local stand-in with the same Debian release, the same minor version of Python and the same version of uv: it proves the
Dockerfile, not the upstream images. All of it stays in a store of its own, where no other tool sees the stand-ins.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOOLS = ("buildah", "debootstrap", "ip", "nsenter", "setpriv", "unshare")
SHARED = Path(tempfile.gettempdir()) / f"mlscaffold-images-{os.geteuid()}"
"""Where images are kept from one run to the next: the stand-ins take a minute to make."""
WRITABLE = ("/tmp", "/app/artifacts")  # the two places that the Dockerfile names


def lacking() -> str | None:
    """Return why images cannot be built here, or None."""
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        return f"{', '.join(missing)} not installed"
    return None if os.geteuid() == 0 else "only root may make the stand-ins for base images"


@dataclass(frozen=True)
class Container:
    """A running container; `pid` is its first process, as this machine counts; `began` is by `time.perf_counter`."""

    began: float
    pid: int
    process: subprocess.Popen[bytes]
    image: Image
    log: Path

    def status(self) -> dict[str, str]:
        """Return what the kernel says of the first process."""
        lines = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8").splitlines()
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def exec(self, command: Sequence[str], *, root: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a command inside, as the image's user with what the first process may do, or as root."""
        enter = ["nsenter", f"--target={self.pid}", "--mount", "--net", "--pid", "--root"]
        enter += [f"--wd=/proc/{self.pid}/root{self.image.config['WorkingDir']}"]
        limits = [] if root else self.image.limits
        return subprocess.run(
            [*enter, "env", "-i", *self.image.config["Env"], *limits, *command],
            check=False,
            capture_output=True,
            encoding="utf-8",
        )

    def stop(self, seconds: float = 30) -> int:
        """Send SIGTERM, as every engine does, and return the exit code."""
        os.kill(self.pid, signal.SIGTERM)
        return self.process.wait(seconds)


@dataclass(frozen=True)
class Image:
    """An image that was built."""

    store: Store
    name: str
    config: dict[str, Any]

    @property
    def limits(self) -> list[str]:
        """Return the command that takes away what a hardened container does not have."""
        uid, _, gid = self.config["User"].partition(":")
        taken = ["--clear-groups", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
        return ["setpriv", f"--reuid={uid}", f"--regid={gid or uid}", *taken]

    @contextmanager
    def root(self) -> Iterator[Path]:
        """Unpack the image for as long as the context lasts."""
        container = self.store.buildah("from", "--pull-never", self.name)
        try:
            yield Path(self.store.buildah("mount", container))
        finally:
            self.store.buildah("umount", container)
            self.store.buildah("rm", container)

    @contextmanager
    def run(
        self,
        *arguments: str,
        entrypoint: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        mounts: Mapping[Path, str] | None = None,
        own_network: bool = False,
    ) -> Iterator[Container]:
        """Run the image for as long as the context lasts: not as root, on a read-only root, without capabilities.

        Args:
            arguments: What to run instead of the image's own command.
            entrypoint: What to run it by, instead of the image's own entry point; then that has no command.
            env: Variables beside the image's own.
            mounts: Folders of this machine, each with its read-only place in the container.
            own_network: Whether it has a network of its own, in which nothing but itself can be reached.
        """
        user = int(self.config["User"].partition(":")[0])  # a name would be of no use to Kubernetes' runAsNonRoot
        assert user > 0
        own = [] if entrypoint else self.config["Cmd"]
        command = [*(entrypoint or self.config["Entrypoint"]), *(arguments or own)]
        variables = [*self.config["Env"], *(f"{name}={value}" for name, value in (env or {}).items())]
        with self.root() as root, tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "log"
            script = ["set -e", "mount --make-rprivate /", f"mount --bind {root} {root}"]
            script += [f"mount -t proc proc {root}/proc", f"mount --rbind /dev {root}/dev"]
            script += [f"mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs {root}{place}" for place in WRITABLE]
            for source, place in (mounts or {}).items():
                script += [f"mkdir -p {root}{place}", f"mount --bind -o ro {source} {root}{place}"]
            script += [f"mount -o remount,bind,ro {root}"]
            script += ["ip link set lo up"] if own_network else []
            inside = shlex.join(["env", "-i", *variables, *self.limits, *command])
            inside = f"cd {self.config['WorkingDir']} && exec {inside}"
            script += [f"exec chroot {root} sh -c {shlex.quote(inside)}"]
            namespaces = ["--mount", "--pid", "--ipc", "--uts", *(["--net"] if own_network else [])]
            began = time.perf_counter()
            process = subprocess.Popen(
                ["unshare", *namespaces, "--fork", "sh", "-c", "\n".join(script)],
                stdout=log.open("wb"),
                stderr=subprocess.STDOUT,
            )
            first = _child(process)
            try:
                yield Container(began, first, process, self, log)
            finally:
                if process.poll() is None:  # `unshare --kill-child` would not end it: it is another user's by now
                    os.kill(first, signal.SIGKILL)
                process.wait()


def _child(process: subprocess.Popen[bytes]) -> int:
    """Return the first process of the container that `unshare` has made."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while process.poll() is None:
        if found := children.read_text(encoding="utf-8").split():
            return int(found[0])
    raise AssertionError(f"the container ended at once, with {process.returncode}")


class Store:
    """Images, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        """Keep them below *folder*, which only its owner can read."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder

    def buildah(self, *arguments: str) -> str:
        """Run buildah on this store and return what it prints."""
        places = ["--root", str(self._folder / "images"), "--runroot", str(self._folder / "run")]
        done = subprocess.run(["buildah", *places, *arguments], check=False, capture_output=True, encoding="utf-8")
        assert done.returncode == 0, f"buildah {arguments[0]}:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout.strip()

    def forget(self) -> None:
        """Remove what no image needs any more and nobody has built for a day."""
        if old := self.buildah("images", "--quiet", "--filter=dangling=true", "--filter=until=24h").split():
            self.buildah("rmi", *old)

    def build(self, context: Path, name: str, target: str | None = None) -> Image:
        """Build the Dockerfile in a folder, or the stages that one target needs; only what was not built before."""
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # or two processes would both build it
            return self._build(context, name, target)

    def _build(self, context: Path, name: str, target: str | None) -> Image:
        for reference in _references((context / "Dockerfile").read_text(encoding="utf-8")):
            self._stand_in(reference)
        options = ["--isolation=chroot", "--network=host", "--pull-never", "--layers", "--force-rm", "--format=docker"]
        options += [f"--target={target}"] if target else []
        proxies = [name for name in os.environ if name.lower() in ("http_proxy", "https_proxy", "no_proxy")]
        options += [f"--build-arg={proxy}={os.environ[proxy]}" for proxy in proxies]
        self.buildah("bud", *options, *self._certificates(), f"--tag={name}", str(context))
        inspected = json.loads(self.buildah("inspect", "--type=image", name))
        return Image(self, name, inspected["Docker"]["config"])

    def _certificates(self) -> list[str]:
        """Return what lets a build trust what this machine trusts; none of it gets into an image."""
        bundle = os.environ.get("SSL_CERT_FILE")
        if not bundle:
            return []
        settings = self._folder / "uv.toml"
        settings.write_text("system-certs = true\n", encoding="utf-8")
        target = "/etc/ssl/certs/ca-certificates.crt"
        return ["--volume", f"{bundle}:{target}:ro", "--volume", f"{settings}:/etc/uv/uv.toml:ro"]

    def _stand_in(self, reference: str) -> None:
        """Make what stands in for an image, unless it is there."""
        name = reference if "/" in reference else f"localhost/{reference}"
        if name in self.buildah("images", "--format", "{{.Name}}:{{.Tag}}").split():
            return
        container = self.buildah("from", "scratch")
        try:
            root = Path(self.buildah("mount", container))
            if match := re.fullmatch(r"python:(\d+\.\d+)\.\d+-slim-(\w+)", reference):
                settings = self._python(root, *match.groups())
            elif match := re.fullmatch(r"ghcr\.io/astral-sh/uv:([\d.]+)", reference):
                settings = self._uv(root, *match.groups())
            else:
                raise AssertionError(f"nothing can stand in for {reference}")
            self.buildah("umount", container)
            self.buildah("config", *settings, container)
            self.buildah("commit", "--quiet", container, name)
        finally:
            self.buildah("rm", container)

    def _python(self, root: Path, version: str, release: str) -> list[str]:
        what = ("--variant=minbase", "--include=ca-certificates,python3,python3-venv", release, str(root))
        for _ in range(2):  # it gives up when one of a hundred downloads fails; begun again it fetches what is missing
            with contextlib.suppress(AssertionError):
                _run("debootstrap", "--download-only", *what)
                break
        _run("debootstrap", *what)
        (python,) = (root / "usr/bin").glob("python3.[0-9]*[0-9]")
        assert python.name == f"python{version}", f"{release} has {python.name}, the Dockerfile asks for {version}"
        for link in ("python", "python3"):
            (root / "usr/local/bin" / link).symlink_to(f"/usr/bin/{python.name}")
        for litter in ("var/cache/apt/archives", "var/lib/apt/lists"):
            shutil.rmtree(root / litter)
        path = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
        return [f"--env=PATH={path}", "--env=LANG=C.UTF-8", "--cmd=python3"]

    def _uv(self, root: Path, version: str) -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            _run("uv", "pip", "install", "--quiet", "--no-deps", f"--target={folder}", f"uv=={version}")
            shutil.copy2(Path(folder) / "bin/uv", root / "uv")
        return ['--entrypoint=["/uv"]']


def _references(dockerfile: str) -> set[str]:
    """Return the images that a Dockerfile begins with."""
    stages = re.findall(r"^FROM (\S+)(?: AS (\S+))?$", dockerfile, re.MULTILINE)
    return {image for image, _ in stages} - {name for _, name in stages}


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, f"{shlex.join(command)}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
