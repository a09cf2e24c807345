import postgres from "postgres";
import { createReadProof, createRequestProof, generateKeyPair } from "../../src/contract/index.ts";

/** What a simulated host proves itself with. */
export interface HostAuth {
  id: string;
  /** The value of `Authorization` for a request that reads. */
  reading(): Promise<string>;
  /** For one that changes something. */
  changing(request: { method: string; path: string; body: string }): Promise<string>;
}

/** As agents do: one proof for reading serves for half of its life. */
const readingForMs = 150_000;

/** Hosts as if they had joined long ago: their rows, written by the hundred. */
export async function seedHosts(databaseUrl: string, { prefix, count }: { prefix: string; count: number }): Promise<HostAuth[]> {
  const hosts: { id: string; publicKey: string; privateKey: string }[] = [];
  for (let i = 0; i < count; i++) hosts.push({ id: `${prefix}-${i}`, ...(await generateKeyPair()) });
  const sql = postgres(databaseUrl, { max: 1 });
  const longAgo = new Date(Date.now() - 86_400_000);
  for (let from = 0; from < count; from += 500) {
    const rows = hosts
      .slice(from, from + 500)
      .map(({ id, publicKey }) => ({ id, environment: "default", public_key: publicKey, created_at: longAgo }));
    await sql`insert into hosts ${sql(rows)}`;
  }
  await sql.end();
  return hosts.map(({ id, privateKey }) => {
    const credential = { hostId: id, privateKey };
    let proof: { header: string; atMs: number } | undefined;
    return {
      id,
      async reading() {
        const now = Date.now();
        if (proof === undefined || now - proof.atMs > readingForMs)
          proof = { header: await createReadProof(credential, now), atMs: now };
        return proof.header;
      },
      changing: (request) => createRequestProof(credential, { ...request, atMs: Date.now() }),
    };
  });
}
