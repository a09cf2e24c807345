import { desiredStateFormat, type SignedTime, type SigningKey, signDesiredState, signTime } from "../../contract/index.ts";
import type { Clock, Logger } from "../../lib/index.ts";
import type { DesiredStateSigner } from "../../operations/index.ts";
import type { Notice } from "../events/notice.ts";

/** Signs with the active key, which may be another one after a rotation. */
export interface Signer extends DesiredStateSigner {
  readonly keyId: string;
  /** Raw, base64: what hosts pin. */
  readonly publicKey: string;
  /** Of the key that is announced as the next one. */
  readonly announcedKeyId: string | undefined;
  /** This replica's clock, for whoever made up `nonce`. */
  signTime(nonce: string): Promise<SignedTime>;
  /** Looks which key is active, and which one is announced. Not within a transaction. */
  refresh(): Promise<void>;
  notice(notice: Notice): void;
}

export interface ActiveKey extends SigningKey {
  /** Since when it signs, by the clock of the replica that handed over to it. The first key: always. */
  sinceMs: number;
}

interface SignerOptions {
  storeId: string;
  clock: Clock;
  logger: Logger;
  first: ActiveKey;
  announcedFirst: string | undefined;
  /** The active key; `undefined` when that is still `keyId`. */
  load(keyId: string): Promise<ActiveKey | undefined>;
  loadAnnounced(): Promise<string | undefined>;
}

const validMs = 30 * 86_400_000;

export function createSigner({ storeId, clock, logger, first, announcedFirst, load, loadAnnounced }: SignerOptions): Signer {
  let [key, announcedKeyId] = [first, announcedFirst];
  const refresh = async () => {
    key = (await load(key.keyId)) ?? key;
    announcedKeyId = await loadAnnounced();
  };
  return {
    storeId,
    get keyId() {
      return key.keyId;
    },
    get publicKey() {
      return key.publicKey;
    },
    get announcedKeyId() {
      return announcedKeyId;
    },
    refresh,
    notice({ type }) {
      if (type !== "signingKey" && type !== "resumed") return;
      refresh().catch((error: unknown) => logger.error({ err: error }, "could not read the active signing key"));
    },
    signTime: (nonce) => signTime({ storeId, nonce }, clock.now(), key),
    async sign(state) {
      // Hosts refuse what is dated before its key was active, and replicas' clocks differ a little.
      const now = Math.max(clock.now(), key.sinceMs);
      return await signDesiredState(
        {
          format: desiredStateFormat,
          storeId,
          ...state,
          issuedAt: new Date(now).toISOString(),
          expiresAt: new Date(now + validMs).toISOString(),
        },
        key,
      );
    },
  };
}
