"""Prints what FastAPI says of a generated service. With --skeleton, without what is of one model: the refreshed
templates/fastapi/openapi.json.    python openapi.py SERVICE [--skeleton]"""
import json
import os
import sys

sys.path.insert(0, sys.argv[1])
os.environ["MLOPS_BUNDLE"] = "/nowhere"

from app import main  # noqa: E402

document = main.generated_openapi()
if "--skeleton" in sys.argv:
    document["info"] = {"title": "", "version": ""}
    document["components"]["schemas"]["Features"] = {}
    json.dump(document, sys.stdout, indent=2)
    sys.stdout.write("\n")
else:
    json.dump(document, sys.stdout)
