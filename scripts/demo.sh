#!/usr/bin/env bash
# Three hospitals, three processes, one answer. Starts from a fresh state, so it works every time.
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf demo-state demo-out
"${CARGO_TARGET_DIR:-target}/release/veilgrid" run examples/hospitals/job.yaml --state demo-state --out demo-out
cat <<'END'

Try next:
  open demo-out/report.html in a browser
  target/release/veilgrid verify demo-out/receipt.json --result demo-out/result.json
  target/release/veilgrid budget --state demo-state examples/hospitals/job.yaml
  target/release/veilgrid run examples/hospitals/job.yaml --state demo-state --out demo-out
      a second run is charged again, and the fourth is refused: each hospital's budget is 10 and a run costs 3
  change epsilon or a statistic in examples/hospitals/job.yaml, and see what it does:
  target/release/veilgrid check examples/hospitals/job.yaml
  docs/tutorial.md goes from here to your own CSV files
END
