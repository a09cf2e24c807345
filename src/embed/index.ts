// What a program embeds instead of running `larder agent`: a host's store, the agent that keeps it converged, and the runner.
// Invariants: works on Node 20 and later as on Bun, from source or from `npm run build:embed`; these names and what they take are kept
// stable, the rooms behind them are not. docs/embedding.md documents each.
// Left to others: everything. This room has no logic.

export { type Agent, type AgentOptions, type AgentStatus, startAgent } from "../agent/index.ts";
export { LarderError, type RunResult } from "../contract/for-hosts.ts";
export {
  currentTree,
  type HostStore,
  type HostStoreOptions,
  openHostStore,
  type TreeRef,
  type VerifyReport,
  verifyStore,
} from "../host/index.ts";
export { createRunner, type Runner, type RunnerOptions, type RunRequest } from "../runner/index.ts";
