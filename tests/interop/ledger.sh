#!/usr/bin/env bash
# The second reader and subrosa judge the demo's exported ledger, and copies that were cut, altered, forged and rolled back, alike: see ledger.py.
#
#   tests/interop/ledger.sh BIN-FOLDER DEMO-FOLDER
set -euo pipefail
exec python3 "$(dirname "${BASH_SOURCE[0]}")/ledger.py" "${1:?the folder of the built programs}" "${2:?the folder that the demo made}"
