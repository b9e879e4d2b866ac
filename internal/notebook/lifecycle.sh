#!/bin/bash
# Written by tarn. Runs as root each time the notebook instance starts, and has five minutes: what takes longer goes on behind.
set -eu
home=${TARN_HOME:-/home/ec2-user}
user=${TARN_USER:-ec2-user}
about=${TARN_ABOUT:-/opt/ml/metadata/resource-metadata.json}
folder=$home/SageMaker/tarn
mkdir -p "$folder" "$home/.aws"

# The region is that of the instance.
region=$(sed -n 's/.*"ResourceArn": *"arn:[^:]*:sagemaker:\([a-z0-9-]*\):.*/\1/p' "$about" | head -1)
if [ -n "$region" ] && [ ! -e "$home/.aws/config" ]; then
	printf '[default]\nregion = %s\n' "$region" >"$home/.aws/config"
fi

# What somebody has worked on stays: a file that is taken away comes anew with the next start.
if [ ! -e "$folder/@CONFIGFILE@" ]; then
	base64 -d >"$folder/@CONFIGFILE@" <<'END'
@CONFIG@
END
fi
if [ ! -e "$folder/@FILE@" ]; then
	base64 -d <<'END' | gunzip >"$folder/@FILE@"
@NOTEBOOK@
END
fi
chown -R "$user" "$folder" "$home/.aws"

# Into the environment of the kernel python3; "$folder/install.log" tells how it went.
nohup sudo -u "$user" -i bash -c "source '$home/anaconda3/bin/activate' python3 && pip install --quiet @REQUIREMENTS@ && echo ready" >"$folder/install.log" 2>&1 </dev/null &
