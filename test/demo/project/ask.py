"""Asks the running service about one customer, as any client would: python ask.py http://127.0.0.1:8000"""
import json
import sys
import time
import urllib.error
import urllib.request

customer = {
    "tenure": 3, "monthly_charges": 84.5, "support_calls": 4,
    "contract": "monthly", "internet": "fibre", "paperless": "yes",
}
body = json.dumps({"features": customer}).encode()
request = urllib.request.Request(f"{sys.argv[1]}/v1/predict", body, {"Content-Type": "application/json"})


def ask(tries=5):
    try:
        return json.load(urllib.request.urlopen(request))
    except urllib.error.HTTPError as error:
        # A busy service says so, rather than let callers wait: 503 and 504 are there to be asked again.
        if error.code not in (503, 504) or tries == 1:
            raise
    time.sleep(1)
    return ask(tries - 1)


answer = ask()
print(f"will leave: {answer['prediction']:.2f}, says version {answer['version']} (prediction {answer['id']})")
