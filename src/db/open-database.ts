import type { Db } from "./database.ts";

export type DatabaseOptions = { url: string } | { directory: string } | { memory: true };

/** Opens it and brings its schema up to date. Throws `E_SCHEMA_NEWER`, `E_LOCKED` (directory), `E_CONFIG` or `E_STORE_UNAVAILABLE` (url). */
export async function openDatabase(options: DatabaseOptions): Promise<Db> {
  if ("url" in options) return await (await import("./postgres-database.ts")).openPostgres(options.url);
  const { openPgliteDirectory, openPgliteMemory } = await import("./pglite-database.ts");
  return await ("directory" in options ? openPgliteDirectory(options.directory) : openPgliteMemory());
}
