"""What every figure measures with: a stage to measure on, rounds, loads, pgbench, the report."""
