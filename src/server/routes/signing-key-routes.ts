import type { SigningKeyFacts } from "../../contract/index.ts";
import { countHostsByKey, listDesiredGenerations, listSigningKeys, recordAudit, type StoredSigningKey } from "../../db/index.ts";
import type { ServerContext } from "../context.ts";
import { formatNotice, type Notice } from "../events/notice.ts";
import { announceNextKey, rotateSigningKey } from "../signing/hand-over.ts";
import { api } from "./api.ts";

export const signingKeyRoutes = ({ db, vault, clock, signer, desired, announce }: ServerContext) => {
  const options = { storeId: signer.storeId, vault, clock };
  return api.signingKeys.router({
    list: api.signingKeys.list.handler(async () => {
      const [keys, hosts] = [await listSigningKeys(db.query), await countHostsByKey(db.query)];
      return keys.map((key) => factsOf(key, hosts));
    }),

    announce: api.signingKeys.announce.handler(async ({ context: { principal } }) => {
      const key = await db.transaction(async (tx) => {
        const next = await announceNextKey(tx, options);
        await recordAudit(tx, { actor: principal.subject, action: "key.announce", target: next.keyId });
        await db.notify(tx, formatNotice({ type: "signingKey" }));
        return next;
      });
      await signer.refresh();
      return factsOf(key, new Map());
    }),

    rotate: api.signingKeys.rotate.handler(async ({ input: { now }, context: { principal } }) => {
      const { key, notices, environments } = await db.transaction(async (tx) => {
        const { previous, key: active } = await rotateSigningKey(tx, { ...options, now });
        const details = { previous: previous.keyId };
        await recordAudit(tx, { actor: principal.subject, action: "key.rotate", target: active.keyId, details });
        const current = await listDesiredGenerations(tx);
        const all: Notice[] = [{ type: "signingKey" }, ...current.map((each): Notice => ({ type: "desired", ...each }))];
        for (const notice of all) await db.notify(tx, formatNotice(notice));
        return { key: active, notices: all, environments: current.map(({ environment }) => environment) };
      });
      await signer.refresh();
      for (const notice of notices) announce(notice);
      // Signs each again, by which also a replica that missed the notice sees that the key is another.
      for (const environment of environments) await desired.current(environment);
      return factsOf(key, await countHostsByKey(db.query));
    }),
  });
};

function factsOf(
  { keyId, publicKey, createdAt, active, sealedPrivateKey }: StoredSigningKey,
  hosts: ReadonlyMap<string, number>,
): SigningKeyFacts {
  const inactive = sealedPrivateKey === null ? "retired" : "announced";
  return { keyId, publicKey, createdAt, hosts: hosts.get(keyId) ?? 0, state: active ? "active" : inactive };
}
