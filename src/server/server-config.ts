import type { BlobStore, S3Options } from "../blobs/index.ts";
import type { CollectInput, Platform } from "../contract/index.ts";
import type { Clock, Logger } from "../lib/index.ts";
import type { OperationHandler } from "../operations/index.ts";
import type { TrafficLimits } from "./http/admission.ts";
import type { ConsoleSource } from "./web/console-pages.ts";

/** All that a control plane replica is told from outside. */
export interface ServerConfig {
  /** Its own files go below `control/` in it. */
  dataDirectory: string;
  /** Port 0 picks a free one. */
  listen: { host: string; port: number };
  /** Serves `/metrics` there too, to anyone. */
  metricsListen?: { host: string; port: number } | undefined;
  /**
   * A stop: for `delayMs` this replica says that it is not ready and serves on, then requests under way have `timeoutMs` to finish. Absent: at once, and
   * 10 s.
   */
  drain?: { delayMs: number; timeoutMs: number } | undefined;
  /** `embedded` is PGlite in `control/db`; `memory` is gone with the process. */
  database: { url: string } | "embedded" | "memory";
  /**
   * The name of the store that new blobs go to: `fs` (`control/blobs`), `postgres` (the database), `s3`, `memory`, or one of `otherStores`. Absent: where
   * they went before; at the very first start, `postgres` with a database of its own and `fs` without.
   */
  blobStore?: string | undefined;
  /** Makes `s3` a store that can be read, migrated to and made active. */
  s3?: S3Options | undefined;
  /** By the name that each store has. */
  otherStores?: Record<string, () => Promise<BlobStore>> | undefined;
  registry: URL;
  /** When this replica asks for collections, and what they leave; never when absent. */
  collect?: { everyMs: number; input: CollectInput } | undefined;
  /** Platforms to stock besides those of enrolled hosts. */
  platforms: Platform[];
  logger: Logger;
  clock: Clock;
  /** The Bun that resolves; the one that runs this process when absent. */
  bunPath?: string | undefined;
  /** 32 bytes in base64 or hex that seal what is secret in the database; `control/secret-key` when absent. */
  secretKey?: string | undefined;
  /** An admin token's text, for replicas that do not share a data directory. */
  adminToken?: string | undefined;
  /** How long a browser stays signed in; 12 hours when absent. */
  sessionMs?: number | undefined;
  /** Serves the web console from there; none when absent. */
  console?: ConsoleSource | undefined;
  /** How much hosts may ask of this replica. */
  limits?: TrafficLimits | undefined;
  /** Replaces what runs an install. */
  handlers?: { install: OperationHandler } | undefined;
}
