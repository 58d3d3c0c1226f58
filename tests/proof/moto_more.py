"""moto's server with what it lacks of SageMaker's endpoints and of what scales them, run by moto's own Python.

What is added answers as AWS documents it: UpdateEndpoint, which moto does not know; LastDeploymentConfig of
DescribeEndpoint; ListTagsForResource of Application Auto Scaling. That AWS tells how an endpoint was deployed from the
first on, acceptance tests of Terraform's provider show (`TestAccSageMakerEndpoint_deploymentConfig_blueGreen`).

Two files in the folder QUIRKS change what happens: with `alarm` an update is taken back, with `forget` the endpoint no
longer tells how it was deployed, as if somebody had updated it by hand.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse as Scaling
from moto.core.responses import ActionResult
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.responses import SageMakerResponse as SageMaker
from moto.server import main

QUIRKS = Path(os.environ["QUIRKS"])

create_endpoint, describe_endpoint = SageMaker.create_endpoint, SageMaker.describe_endpoint
register_scalable_target = Scaling.register_scalable_target
tags_of_targets: dict[str, dict[str, str]] = {}


def create(self: Any) -> Any:
    """Make an endpoint, and remember how it was deployed."""
    answer = create_endpoint(self)
    endpoint = self.sagemaker_backend.endpoints[self._get_param("EndpointName")]
    endpoint.last_deployment_config = self._get_param("DeploymentConfig")
    return answer


def update(self: Any) -> Any:
    """Give an endpoint another configuration; its own and the other must be there."""
    backend, other = self.sagemaker_backend, self._get_param("EndpointConfigName")
    endpoint = backend.endpoints[self._get_param("EndpointName")]
    for name in (endpoint.endpoint_config_name, other):
        if name not in backend.endpoint_configs:
            raise ValidationError(message=f'Could not find endpoint configuration "{name}".')
    endpoint.last_deployment_config = self._get_param("DeploymentConfig")
    if not (QUIRKS / "alarm").exists():
        endpoint.endpoint_config_name = other
    return ActionResult({"EndpointArn": endpoint.arn})


def describe(self: Any) -> Any:
    """Describe an endpoint."""
    answer = describe_endpoint(self)
    if (QUIRKS / "forget").exists():
        del answer.result["LastDeploymentConfig"]
    return answer


def register(self: Any) -> str:
    """Register what is to be scaled, and remember its tags."""
    answer = str(register_scalable_target(self))
    tags_of_targets.setdefault(json.loads(answer)["ScalableTargetARN"], {}).update(self._get_param("Tags") or {})
    return answer


def list_tags(self: Any) -> str:
    """Tell the tags of what is scaled."""
    return json.dumps({"Tags": tags_of_targets.get(self._get_param("ResourceARN"), {})})


if __name__ == "__main__":
    SageMaker.create_endpoint, SageMaker.update_endpoint, SageMaker.describe_endpoint = create, update, describe
    Scaling.register_scalable_target, Scaling.list_tags_for_resource = register, list_tags
    sys.exit(main())
