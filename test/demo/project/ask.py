"""Asks the running service about one customer, as any client would: python ask.py http://127.0.0.1:8000"""
import json
import sys
import urllib.request

customer = {
    "tenure": 3, "monthly_charges": 84.5, "support_calls": 4,
    "contract": "monthly", "internet": "fibre", "paperless": "yes",
}
body = json.dumps({"features": customer}).encode()
request = urllib.request.Request(f"{sys.argv[1]}/v1/predict", body, {"Content-Type": "application/json"})
answer = json.load(urllib.request.urlopen(request))
print(f"will leave: {answer['prediction']:.2f}, says version {answer['version']}")
