"""An S3 server for tests: s3.py ADDRESS BUCKET. It prints `HOST:PORT ID SECRET`, and then takes lines `KEY FILE`, each of which puts a file
into the bucket and is answered with a line. It ends with its standard input. Every request must be signed.
"""

import json
import logging
import sys

import boto3
from moto import settings
from moto.server import ThreadedMotoServer

address, bucket = sys.argv[1:]
logging.getLogger("werkzeug").disabled = True
server = ThreadedMotoServer(ip_address=address, port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
place = {"endpoint_url": f"http://{host}:{port}", "region_name": "us-east-1"}
nobody = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
users = boto3.client("iam", **place, **nobody)
users.create_user(UserName="north")
rights = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
users.put_user_policy(UserName="north", PolicyName="all", PolicyDocument=json.dumps(rights))
key = users.create_access_key(UserName="north")["AccessKey"]
boto3.client("s3", **place, **nobody).create_bucket(Bucket=bucket)
settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
print(f"{host}:{port}", key["AccessKeyId"], key["SecretAccessKey"], flush=True)
own = boto3.client(
    "s3", **place, aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
)
for line in sys.stdin:
    name, file = line.split()
    with open(file, "rb") as body:
        own.put_object(Bucket=bucket, Key=name, Body=body.read())
    print("put", flush=True)
