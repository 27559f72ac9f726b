"""The model behind LitServe, with its batching on."""
import os
import sys

import joblib
import litserve
import pandas as pd


class Churn(litserve.LitAPI):
    def setup(self, device):
        self.model = joblib.load(os.environ["BENCH_MODEL"])

    def decode_request(self, request):
        return request

    def batch(self, inputs):
        return pd.DataFrame(inputs)

    def predict(self, frame):
        return self.model.predict_proba(frame)[:, 1].tolist()

    def unbatch(self, output):
        return output

    def encode_response(self, output):
        return {"prediction": output}


if __name__ == "__main__":
    server = litserve.LitServer(
        Churn(max_batch_size=64, batch_timeout=0.001), accelerator="cpu", workers_per_device=1
    )
    server.run(port=int(sys.argv[1]), generate_client_file=False, num_api_servers=1, log_level="warning")
