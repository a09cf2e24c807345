import type { ServerConfig } from "./server-config.ts";

/** A running replica. Disposal stops it in order. */
export interface Server extends AsyncDisposable {
  url: URL;
  port: number;
  /** Where the admin token of this data directory is, when this or an earlier start wrote it. */
  adminTokenPath: string;
}

export async function startServer(_config: ServerConfig): Promise<Server> {
  throw new Error("unreachable");
}
