"""Write what Terraform has made into the settings of deploy/: terraform -chdir=infra output -json settings | this."""

import json
import re
import sys
from pathlib import Path

DEPLOY = Path(__file__).parent.parent / "deploy"

for folder, values in json.load(sys.stdin).items():
    path = DEPLOY / folder / "settings.yaml"
    text = path.read_text(encoding="utf-8")
    for name, value in values.items():
        line = f"  {name}: {json.dumps(value)}"
        text, found = re.subn(rf"^  {name}: .*$", lambda _, line=line: line, text, flags=re.MULTILINE)
        if not found:
            sys.exit(f"{path} has no setting {name}")
    path.write_text(text, encoding="utf-8")
    print(path)
