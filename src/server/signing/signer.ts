import { desiredStateFormat, type SignedTime, type SigningKey, signDesiredState, signTime } from "../../contract/index.ts";
import type { Clock } from "../../lib/index.ts";
import type { DesiredStateSigner } from "../../operations/index.ts";

export interface Signer extends DesiredStateSigner {
  keyId: string;
  /** Raw, base64: what hosts pin. */
  publicKey: string;
  /** This replica's clock, for whoever made up `nonce`. */
  signTime(nonce: string): Promise<SignedTime>;
}

const validMs = 30 * 86_400_000;

export function createSigner({ key, storeId, clock }: { key: SigningKey; storeId: string; clock: Clock }): Signer {
  return {
    storeId,
    keyId: key.keyId,
    publicKey: key.publicKey,
    signTime: (nonce) => signTime({ storeId, nonce }, clock.now(), key),
    async sign(state) {
      const now = clock.now();
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
