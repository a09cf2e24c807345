// The control plane as a process: HTTP, tokens, events, signing, and the one place where everything is put together (context.ts).
// Invariants: every route is in the access table; no GET changes state; a token's text is shown once and stored nowhere but in
// `control/admin-token`; a host reaches only what belongs to its own environment.
// Leaves to others: what an install does (operations), what is stored how (db, blobs), and reading settings (cli).

export type { ServerConfig } from "./server-config.ts";
export { type Server, startServer } from "./start-server.ts";
