"""Imports a generated service and prints what Python makes of it: python check_service.py SERVICE"""
import ast
import json
import os
import sys
from pathlib import Path

service = Path(sys.argv[1])
sys.path.insert(0, str(service))
os.environ["MLOPS_BUNDLE"] = "/nowhere"

tree = ast.parse((service / "app/schema.py").read_bytes())
from app import main, schema  # noqa: E402

facts = json.loads((service / "service.json").read_bytes())
own = main.generated_openapi()
committed = json.loads((service / "openapi.json").read_bytes())
example = schema.Features.model_validate(facts["example"]["features"]).model_dump(by_alias=True, mode="json")
json.dump({
    "statements": sorted({type(node).__name__ for node in tree.body}),
    "classes": [node.name for node in tree.body if isinstance(node, ast.ClassDef)],
    "calls": sorted({ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}),
    "fields": list(schema.Features.model_fields),
    "names": [field.alias or name for name, field in schema.Features.model_fields.items()],
    "descriptions": [field.description for field in schema.Features.model_fields.values()],
    "example": example,
    "sameOpenApi": own == committed,
    "ownFeatures": own["components"]["schemas"]["Features"],
    "committedFeatures": committed["components"]["schemas"]["Features"],
}, sys.stdout)
