#!/usr/bin/env bash
# A second reader goes from the demo's vault, its key file and an archivist's identity to what was delivered, without Subrosa: see recording.py.
#
#   tests/interop/recording.sh BIN-FOLDER DEMO-FOLDER
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec python3 "$here/recording.py" "${2:?the folder that the demo made}" "$here/../../src/sample/delivery"
