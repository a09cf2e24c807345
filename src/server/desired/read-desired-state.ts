import type { EnvironmentName, SignedDesiredState } from "../../contract/index.ts";
import { type Db, getDesiredState, putDesiredState } from "../../db/index.ts";
import type { Clock } from "../../lib/index.ts";
import type { Signer } from "../signing/signer.ts";

const dayMs = 86_400_000;

/** The stored document, signed again when its signature is older than a day, so that what hosts hold is always far from expiring. */
export async function readDesiredState(
  environment: EnvironmentName,
  { db, signer, clock }: { db: Db; signer: Signer; clock: Clock },
): Promise<SignedDesiredState | undefined> {
  const stored = await getDesiredState(db.query, environment);
  if (stored === undefined) return undefined;
  const { desired, keyId } = stored;
  // Another replica signs with it: the keys may have changed without our hearing of it.
  if (keyId !== signer.keyId) await signer.refresh();
  // Also when it is from far ahead: its expiry is no better than the clock that made it.
  if (keyId === signer.keyId && Math.abs(clock.now() - Date.parse(desired.issuedAt)) < dayMs) return stored;
  const { generation, lockfileHash, manifestDigest } = desired;
  const renewed = await signer.sign({ environment, generation, lockfileHash, manifestDigest });
  const kept = await putDesiredState(db.query, renewed);
  return kept ? renewed : await getDesiredState(db.query, environment);
}
