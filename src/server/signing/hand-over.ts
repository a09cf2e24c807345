import { LarderError, type SignedHandover, signHandover } from "../../contract/index.ts";
import {
  handSigningOver,
  insertAnnouncedKey,
  listHandovers,
  lockActiveSigningKey,
  type Queryable,
  type StoredSigningKey,
} from "../../db/index.ts";
import type { Clock } from "../../lib/index.ts";
import type { Vault } from "../secrets/vault.ts";
import { makeSigningKey, openPrivateKey } from "./open-signer.ts";

interface HandoverOptions {
  storeId: string;
  vault: Vault;
  clock: Clock;
}

/** In a transaction: makes the next key, which the active one announces. Throws `E_CONFLICT` when one is announced already. */
export async function announceNextKey(tx: Queryable, options: HandoverOptions): Promise<StoredSigningKey> {
  const active = await lockActiveSigningKey(tx);
  const chain = await listHandovers(tx);
  const announced = announcedBy(chain);
  if (announced) {
    throw new LarderError("E_CONFLICT", `Key ${announced.handover.to.keyId} is announced already.`, {
      hint: "`larder keys rotate` makes it the one that signs.",
    });
  }
  const { storeId, vault, clock } = options;
  const next = await makeSigningKey(vault);
  const announcement = await signHandover(
    {
      format: 1,
      storeId,
      from: { keyId: active.keyId, publicKey: active.publicKey },
      to: { keyId: next.keyId, publicKey: next.publicKey },
      sequence: chain.length + 1,
      announcedAt: new Date(clock.now()).toISOString(),
      effective: null,
    },
    { privateKey: openPrivateKey(active, vault) },
  );
  return await insertAnnouncedKey(tx, next, announcement);
}

/** In a transaction: the announced key signs from now on. Throws `E_CONFLICT` when none is announced, unless `now`: one is made then. */
export async function rotateSigningKey(tx: Queryable, { now, ...options }: HandoverOptions & { now: boolean }) {
  const active = await lockActiveSigningKey(tx);
  let announced = announcedBy(await listHandovers(tx));
  if (!announced && now) {
    await announceNextKey(tx, options);
    announced = announcedBy(await listHandovers(tx));
  }
  if (!announced) {
    throw new LarderError("E_CONFLICT", "No next key is announced.", {
      hint: "`larder keys announce` makes one; with `--now`, `larder keys rotate` does both at once.",
    });
  }
  const { handover } = announced;
  const chain = await listHandovers(tx);
  const before = chain.at(-2)?.handover.effective;
  const effective = new Date(Math.max(options.clock.now(), before ? Date.parse(before) : 0)).toISOString();
  const signed = await signHandover({ ...handover, effective }, { privateKey: openPrivateKey(active, options.vault) });
  return { previous: active, key: await handSigningOver(tx, signed) };
}

const announcedBy = (chain: SignedHandover[]): SignedHandover | undefined =>
  chain.find(({ handover }) => handover.effective === null);
