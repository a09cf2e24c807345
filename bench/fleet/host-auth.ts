import { randomBytes } from "node:crypto";
import postgres from "postgres";
import { hashOfToken } from "../../src/server/auth/token-text.ts";

/** What a simulated host proves itself with. */
export interface HostAuth {
  id: string;
  /** The value of `Authorization` for a request that reads. */
  reading(): Promise<string>;
  /** For one that changes something. */
  changing(request: { method: string; path: string; body: string }): Promise<string>;
}

/** Hosts as if they had joined long ago: their rows, written by the hundred. */
export async function seedHosts(databaseUrl: string, { prefix, count }: { prefix: string; count: number }): Promise<HostAuth[]> {
  const hosts = Array.from({ length: count }, (_, i) => ({
    id: `${prefix}-${i}`,
    token: `ldr_host_${randomBytes(32).toString("base64url")}.${"0".repeat(32)}`,
  }));
  const sql = postgres(databaseUrl, { max: 1 });
  for (let from = 0; from < count; from += 500) {
    const some = hosts.slice(from, from + 500);
    await sql`insert into hosts ${sql(some.map(({ id }) => ({ id, environment: "default" })))}`;
    await sql`insert into tokens ${sql(
      some.map(({ id, token }) => ({
        id: `tok-${id}`,
        role: "host",
        subject: `host ${id}`,
        hash: hashOfToken(token),
        environment: "default",
        host_id: id,
      })),
    )}`;
  }
  await sql.end();
  return hosts.map(({ id, token }) => {
    const header = `Bearer ${token}`;
    return { id, reading: async () => header, changing: async () => header };
  });
}
