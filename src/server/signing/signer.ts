import { desiredStateFormat, type SigningKey, signDesiredState } from "../../contract/index.ts";
import type { Clock } from "../../lib/index.ts";
import type { DesiredStateSigner } from "../../operations/index.ts";

export interface Signer extends DesiredStateSigner {
  keyId: string;
  /** Raw, base64: what hosts pin. */
  publicKey: string;
}

const validMs = 30 * 86_400_000;

export function createSigner({ key, storeId, clock }: { key: SigningKey; storeId: string; clock: Clock }): Signer {
  return {
    storeId,
    keyId: key.keyId,
    publicKey: key.publicKey,
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
