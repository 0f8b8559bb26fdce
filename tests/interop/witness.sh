#!/usr/bin/env bash
# Cosignatures and proofs, made by the program and read by the second reader: see witness.py.
#
#   tests/interop/witness.sh BIN-FOLDER DEMO-FOLDER
set -euo pipefail
exec python3 "$(dirname "${BASH_SOURCE[0]}")/witness.py" "${1:?the folder of the built programs}" "${2:?the folder that the demo made}"
