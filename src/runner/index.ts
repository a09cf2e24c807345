// Runs one script against a leased tree: resolution root, clean environment, limits, result.
// Invariants: a run sees exactly one tree from start to end, and only its allowlisted packages; its lease, directory and processes are gone when
// `run` returns, however it ended; what it uses is bounded. How strongly depends on the system: each result says what held (`confinement`).
// Not covered: a script runs as this user and may use the network, and read what this user can outside of the store. `docs/running-scripts.md`.

export type { RunResult } from "../contract/for-hosts.ts";
export { createRunner, type Runner, type RunnerOptions } from "./create-runner.ts";
export type { RunRequest } from "./run-request.ts";
