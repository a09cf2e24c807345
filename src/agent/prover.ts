import {
  createReadProof,
  createRequestProof,
  followSigningChain,
  isTimeSignedBy,
  keyIdOf,
  LarderError,
  parseHostProof,
  proofLifeMs,
  type SigningChain,
  signedTimeSchema,
} from "../contract/for-hosts.ts";
import type { HostSelf } from "../host/index.ts";

/** Signs this host's requests, by the control plane's clock once that is known. */
export interface Prover {
  /** An `Authorization` header. Throws `E_NOT_READY` for a host that has not joined. */
  prove(call: { method: string; path: string; body: string | undefined }): Promise<string>;
  /** From the refusal of a request with this proof. False: it does not say the time, or not for the control plane. */
  learnTime(refusal: LarderError, proof: string): Promise<boolean>;
  /** Who this host is may have changed. */
  forget(): void;
}

/** `readChain`: for a control plane that signs the time with a newer key than this host has pinned. */
export function createProver(readSelf: () => Promise<HostSelf | undefined>, readChain: () => Promise<SigningChain>): Prover {
  let self: HostSelf | undefined;
  /** The control plane's clock less `performance.now()`, which no change of this host's clock moves. */
  let offsetMs: number | undefined;
  let reading: { header: string; atMs: number } | undefined;

  const nowMs = () => Math.round(offsetMs === undefined ? Date.now() : performance.now() + offsetMs);
  const known = async (): Promise<HostSelf> => {
    self ??= await readSelf();
    if (self) return self;
    throw new LarderError("E_NOT_READY", "This host has not joined a control plane.", {
      hint: "Start its agent with a token that `larder hosts enrol` printed: larder agent --server URL --token TOKEN.",
    });
  };

  return {
    async prove({ method, path, body }) {
      const credential = await known();
      const atMs = nowMs();
      if (method === "GET") {
        if (reading === undefined || Math.abs(atMs - reading.atMs) > proofLifeMs / 2) {
          reading = { header: await createReadProof(credential, atMs), atMs };
        }
        return reading.header;
      }
      return await createRequestProof(credential, { atMs, method, path, body: body ?? "" });
    },
    async learnTime({ details }, proof) {
      const time = signedTimeSchema.safeParse(details?.time).data;
      const nonce = parseHostProof(proof)?.signature;
      if (time === undefined || nonce === undefined || self === undefined) return false;
      const publicKey = await keyBehind(self, time.keyId, readChain).catch(() => self?.publicKey ?? "");
      if (!(await isTimeSignedBy(time, { storeId: self.storeId, nonce }, publicKey))) return false;
      offsetMs = time.timeMs - performance.now();
      reading = undefined;
      return true;
    },
    forget() {
      self = reading = undefined;
    },
  };
}

/** The pinned key, or the one called `keyId` if the pinned one leads there. */
async function keyBehind(self: HostSelf, keyId: string, readChain: () => Promise<SigningChain>): Promise<string> {
  const from = await keyIdOf(self.publicKey);
  if (keyId === from) return self.publicKey;
  return (await followSigningChain(await readChain(), { storeId: self.storeId, from, to: keyId })).publicKey;
}
