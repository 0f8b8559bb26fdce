#!/usr/bin/env bash
# What the demo leaves behind, read with other programs: see demo.py.
#
#   tests/interop/demo.sh BIN-FOLDER DEMO-FOLDER
set -euo pipefail
exec python3 "$(dirname "${BASH_SOURCE[0]}")/demo.py" "${1:?the folder of the built programs}" "${2:?the folder that the demo made}"
