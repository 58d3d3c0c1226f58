"""As much of a Kubernetes API as it takes to make a Job of a CronJob and to follow it, for the real kubectl."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

Object = dict[str, Any]

RESOURCES = {
    "v1": [("pods", "Pod")],
    "batch/v1": [("cronjobs", "CronJob"), ("jobs", "Job")],
}


class Cluster(ThreadingHTTPServer):
    """Holds one CronJob; a Job that is made of it ends at once, as it is told beforehand.

    Args:
        cronjob: The CronJob, as it was applied.
        codes: The exit codes of the Job's pods, one after the other; none for a Job that never got one.
        questions: How many times the Job is to be asked for before it has ended.
    """

    def __init__(self, cronjob: Object, codes: list[int], questions: int = 0) -> None:
        super().__init__(("127.0.0.1", 0), Api)
        self.cronjob = cronjob
        self.codes = codes
        self.questions = questions
        self.jobs: list[Object] = []

    def answer(self, path: str, query: dict[str, list[str]]) -> Object | None:
        """Return the object at a path, or None."""
        namespace = self.cronjob["metadata"]["namespace"]
        groups = [{"name": "batch", "versions": [{"groupVersion": "batch/v1", "version": "v1"}]}]
        fixed: dict[str, Object] = {
            "/api": {"kind": "APIVersions", "versions": ["v1"]},
            "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups},
            "/api/v1": resource_list("v1"),
            "/apis/batch/v1": resource_list("batch/v1"),
            f"/apis/batch/v1/namespaces/{namespace}/cronjobs/{self.cronjob['metadata']['name']}": self.cronjob,
        }
        if path in fixed:
            return fixed[path]
        (job,) = self.jobs or [{"metadata": {"name": ""}}]
        name = job["metadata"]["name"]
        if path == f"/apis/batch/v1/namespaces/{namespace}/jobs/{name}":
            self.questions -= 1
            ended = "Complete" if self.codes and self.codes[-1] == 0 else "Failed"
            before = "SuccessCriteriaMet" if ended == "Complete" else "FailureTarget"
            conditions = [{"type": kind, "status": "True"} for kind in (before, ended)]
            return {**job, "status": {"conditions": conditions if self.questions < 0 else conditions[:1]}}
        if path == f"/api/v1/namespaces/{namespace}/pods" and query["labelSelector"] == [f"{LABEL}={name}"]:
            return {"kind": "PodList", "apiVersion": "v1", "items": [self.pod(n, job) for n in range(len(self.codes))]}
        number = path.removeprefix(f"/api/v1/namespaces/{namespace}/pods/{name}-")
        return self.pod(int(number), job) if number.isdigit() else None

    def pod(self, number: int, job: Object) -> Object:
        """Return one of the Job's pods; a later one was made later, whatever its name."""
        ended = {"terminated": {"exitCode": self.codes[number]}}
        return {
            "kind": "Pod",
            "apiVersion": "v1",
            "metadata": {
                "name": f"{job['metadata']['name']}-{number}",
                "namespace": job["metadata"]["namespace"],
                "creationTimestamp": f"2026-01-01T00:{number:02}:00Z",
                "labels": {LABEL: job["metadata"]["name"]},
            },
            "spec": job["spec"]["template"]["spec"],
            "status": {
                "phase": "Failed" if self.codes[number] else "Succeeded",
                "containerStatuses": [{"name": "training", "state": ended}],
            },
        }

    def make(self, body: bytes) -> Object:
        """Take a Job as the controller would; kubectl sends it in protobuf, of which the name is all that is read."""
        (name,) = set(re.findall(rb"training-\d{8}-\d{6}", body))
        template = self.cronjob["spec"]["jobTemplate"]
        labels = {LABEL: name.decode()}
        metadata = {"name": name.decode(), "namespace": self.cronjob["metadata"]["namespace"], "labels": labels}
        spec = {**template["spec"], "selector": {"matchLabels": labels}}
        job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}
        self.jobs.append(job)
        return job


LABEL = "batch.kubernetes.io/job-name"


class Api(BaseHTTPRequestHandler):
    """Speaks HTTP for a cluster."""

    server: Cluster

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path.endswith("/log"):
            self.reply(200, b"the log of the training\n", "text/plain")
        elif (found := self.server.answer(url.path, parse_qs(url.query))) is not None:
            self.reply(200, json.dumps(found).encode())
        else:
            self.reply(404, json.dumps({"kind": "Status", "reason": "NotFound", "code": 404}).encode())

    def do_POST(self) -> None:
        job = self.server.make(self.rfile.read(int(self.headers["Content-Length"])))
        self.reply(201, json.dumps(job).encode())

    def reply(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def resource_list(version: str) -> Object:
    """Return what discovery says of a version."""
    verbs = ["get", "list", "create", "watch"]
    resources = [{"name": name, "kind": kind, "namespaced": True, "verbs": verbs} for name, kind in RESOURCES[version]]
    return {"kind": "APIResourceList", "groupVersion": version, "resources": resources}


@contextmanager
def running(cluster: Cluster, folder: Path) -> Iterator[dict[str, str]]:
    """Serve *cluster* while the context lasts; yields the variables with which kubectl finds it."""
    thread = threading.Thread(target=cluster.serve_forever, args=(0.01,), daemon=True)  # how soon it ends
    thread.start()
    config = {
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{cluster.server_port}"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": ""}}],
        "current-context": "c",
    }
    (folder / "kubeconfig").write_text(json.dumps(config), encoding="utf-8")
    try:
        yield {"KUBECONFIG": str(folder / "kubeconfig")}
    finally:
        cluster.shutdown()
        cluster.server_close()
        thread.join()
