import { LarderError, type Manifest } from "../contract/index.ts";
import { listRevocations, type Queryable } from "../db/index.ts";

/** Throws `E_POLICY` for a manifest that holds a version which was revoked since. */
export async function assertNotRevoked(tx: Queryable, manifest: Manifest): Promise<void> {
  const revoked = new Map((await listRevocations(tx)).map((entry) => [`${entry.name}@${entry.version}`, entry]));
  for (const { name, version } of Object.values(manifest.nodes)) {
    const found = revoked.get(`${name}@${version}`);
    if (found === undefined) continue;
    throw new LarderError(
      "E_POLICY",
      `${name}@${version} is in it, which was revoked${found.reason === undefined ? "" : `: ${found.reason}`}.`,
      {
        hint: `Choose a generation without it. If it was revoked by mistake: larder revocations lift ${name}@${version}`,
        details: { package: `${name}@${version}`, rule: "revoked" },
      },
    );
  }
}
