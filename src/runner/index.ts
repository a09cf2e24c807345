// Runs one script against a leased tree: resolution root, clean environment, limits, result.
// Invariants: a run sees exactly one tree from start to end, and only its allowlisted packages; its lease, directory and process group are
// gone when `run` returns, however it ended; its output, result, time and (on Linux) memory are bounded.
// Not covered: a script runs as this user, so it can read and write what this user can, and a descendant that leaves the process group *and*
// clears its environment outlives it. Isolation from the machine is the operating system's: containers, users, namespaces.

export { createRunner, type Runner, type RunnerOptions, type RunRequest, type RunResult } from "./create-runner.ts";
