"""For HEALTHCHECK: exit code 0 when a version is loaded, warm, and gave its golden predictions; else 1. No curl in the image."""

import http.client
import os
import sys

connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("UVICORN_PORT") or 8080), timeout=2)
try:
    connection.request("GET", "/readyz")
    answer = connection.getresponse()
    print(answer.status, answer.read(300).decode("utf-8", "replace"))
    sys.exit(0 if answer.status == 200 else 1)
except (OSError, http.client.HTTPException) as error:
    print(type(error).__name__, error)
    sys.exit(1)
