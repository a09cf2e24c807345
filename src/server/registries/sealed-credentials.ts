import { z } from "zod";
import { LarderError, type RegistryAuthInput } from "../../contract/index.ts";
import type { StoredRegistry } from "../../db/index.ts";
import type { RegistryConfig } from "../../npm/index.ts";
import { secretKeyVariable } from "../secrets/secret-key.ts";
import type { Vault } from "../secrets/vault.ts";

/** What sealed credentials are bound to: moved to another row, or with another address beside them, they do not open. */
export const credentialsPurpose = (name: string, credentialsFor: string): string =>
  `larder registry credentials ${JSON.stringify([name, credentialsFor])}`;

const sealedSchema = z.object({ authorization: z.string() });

/** The header of these credentials, sealed for a registry's row and the address they may be sent to. */
export function sealCredentials(
  vault: Vault,
  { name, credentialsFor }: { name: string; credentialsFor: string },
  auth: Exclude<RegistryAuthInput, { type: "none" }>,
): string {
  return vault.seal(JSON.stringify({ authorization: headerOf(auth) }), credentialsPurpose(name, credentialsFor));
}

/** Ready to be used. What cannot be opened comes as the refusal of every request: never as no credentials. */
export function openCredentials(vault: Vault, stored: StoredRegistry): RegistryConfig["credentials"] {
  const { name, auth, credentialsFor, sealedCredentials } = stored;
  if (auth === "none" && sealedCredentials === undefined) return undefined;
  const opened =
    sealedCredentials !== undefined && credentialsFor !== undefined
      ? vault.open(sealedCredentials, credentialsPurpose(name, credentialsFor))
      : undefined;
  if (opened === undefined || credentialsFor === undefined) return { refused: cannotOpen(name, vault) };
  const { authorization } = sealedSchema.parse(JSON.parse(opened.plaintext));
  return { prefix: new URL(credentialsFor), header: () => authorization };
}

export function headerOf(auth: Exclude<RegistryAuthInput, { type: "none" }>): string {
  if (auth.type === "bearer") return `Bearer ${auth.token}`;
  return `Basic ${Buffer.from(`${auth.username}:${auth.password}`, "utf8").toString("base64")}`;
}

const cannotOpen = (name: string, { source }: Vault): LarderError =>
  new LarderError("E_SECRET_KEY", `The token of the registry ${name} cannot be opened with the key in ${source}.`, {
    hint: `Put back the key it was sealed with (file or ${secretKeyVariable}), or give the token again with: larder registry set ${name} --auth bearer`,
    details: { registry: name },
  });
