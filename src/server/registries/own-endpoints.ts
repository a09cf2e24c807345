import type { OutboundGuard } from "../../npm/index.ts";
import type { ServerConfig } from "../server-config.ts";

/** What Larder itself stands on is no registry: not its API, its database or its bucket. A port that is picked at start is told when it is known. */
export function forbidOwnEndpoints(guard: OutboundGuard, { listen, database, s3 }: ServerConfig): void {
  if (listen.port !== 0) guard.forbid(listen);
  // An address of several hosts is none to URL: those are PostgreSQL's to find.
  if (typeof database === "object" && URL.canParse(database.url)) {
    const { hostname, port } = new URL(database.url);
    guard.forbid({ host: hostname.replace(/^\[(.*)\]$/, "$1") || "127.0.0.1", port: Number(port || 5432) });
  }
  if (s3?.endpoint !== undefined) {
    const { hostname, port, protocol } = new URL(s3.endpoint);
    guard.forbid({ host: hostname, port: Number(port || (protocol === "https:" ? 443 : 80)) });
  }
}
