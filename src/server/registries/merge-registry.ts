import { X509Certificate } from "node:crypto";
import { defaultRegistryName, LarderError, type RegistryAuthInput, type RegistryInput } from "../../contract/index.ts";
import type { StoredRegistry } from "../../db/index.ts";
import { isBelow, registryAddress } from "../../npm/index.ts";
import type { Vault } from "../secrets/vault.ts";
import { sealCredentials } from "./sealed-credentials.ts";

interface MergeOptions {
  /** All there are. */
  stored: readonly StoredRegistry[];
  vault: Vault;
  updatedBy: string;
}

/**
 * What a registry is after `input`; what that leaves out stays. Asks nobody. Throws `E_INPUT` for settings that cannot be, and `E_CONFLICT` for a scope or name that
 * another registry claims. Credentials never come to be for another address than the one they were entered for: they must be given again.
 */
export function mergeRegistry(
  input: RegistryInput,
  { stored, vault, updatedBy }: MergeOptions,
): Omit<StoredRegistry, "updatedAt"> {
  const { name } = input;
  const before = stored.find((each) => each.name === name);
  const url = input.url === undefined ? before?.url : parseAddress(input.url, "The address");
  if (url === undefined) throw refusal(`There is no registry ${name} yet, and no address was given for it.`, "Give its address.");
  const scopes = distinct(input.scopes ?? before?.scopes ?? []);
  const names = distinct(input.names ?? before?.names ?? []);
  assertClaims({ name, scopes, names }, stored);
  const ca = input.ca === undefined ? before?.ca : parseCertificates(input.ca);
  return {
    name,
    url,
    scopes,
    names,
    tarballOrigins: distinct((input.tarballOrigins ?? before?.tarballOrigins ?? []).map(parseOrigin)),
    ...(ca === undefined ? {} : { ca }),
    ...mergeCredentials(input, { before, url, vault }),
    updatedBy,
  };
}

type Credentials = Pick<StoredRegistry, "auth" | "credentialsFor" | "sealedCredentials">;

function mergeCredentials(
  { name, auth, credentialsFor: given }: RegistryInput,
  { before, url, vault }: { before: StoredRegistry | undefined; url: string; vault: Vault },
): Credentials {
  const wanted = auth === undefined ? undefined : withoutEmpty(auth);
  if (wanted?.type === "none") return { auth: "none" };
  const known = before?.credentialsFor;
  const followsAddress = known === undefined || known === before?.url || !isBelow(new URL(url), new URL(known));
  const credentialsFor =
    given !== undefined && given !== "" ? parseAddress(given, "The address for credentials") : followsAddress ? url : known;
  if (!isBelow(new URL(url), new URL(credentialsFor))) {
    throw refusal(
      `Credentials for ${credentialsFor} would never be sent to ${url}, which is not below it.`,
      "Give an address that the registry's begins with.",
    );
  }
  if (wanted === undefined) {
    if (before?.sealedCredentials === undefined) return { auth: "none" };
    if (before.credentialsFor !== credentialsFor)
      throw enteredElsewhere(name, before.credentialsFor ?? before.url, credentialsFor);
    const { auth: kept, sealedCredentials } = before;
    return { auth: kept, credentialsFor, sealedCredentials };
  }
  assertHeaderSafe(wanted);
  return { auth: wanted.type, credentialsFor, sealedCredentials: sealCredentials(vault, { name, credentialsFor }, wanted) };
}

const withoutEmpty = (auth: RegistryAuthInput): RegistryAuthInput =>
  (auth.type === "bearer" && auth.token === "") || (auth.type === "basic" && auth.password === "") ? { type: "none" } : auth;

function assertHeaderSafe(auth: Exclude<RegistryAuthInput, { type: "none" }>): void {
  if (auth.type === "bearer" && !/^[\x21-\x7e]+$/.test(auth.token)) {
    throw refusal(
      "The token holds white space, or characters that no token has.",
      "Give the token alone, without quotes or `Bearer`.",
    );
  }
  if (auth.type === "basic" && (auth.username === "" || /[:\p{Cc}]/u.test(auth.username) || /\p{Cc}/u.test(auth.password))) {
    throw refusal(
      "The user name is empty or holds a colon, or one of both holds control characters.",
      "Give the name and the password alone.",
    );
  }
}

/** Absolute, with a slash at its end. Whether anything may be fetched there is the guard's to say. */
function parseAddress(text: string, what: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw refusal(`${what} is not an http or https address.`, "Give it as https://HOST/PATH/.");
  }
  if (url.username !== "" || url.password !== "") {
    throw refusal(`${what} holds credentials.`, "Give them as a token or as user name and password, not in the address.");
  }
  if (url.search !== "" || url.hash !== "") throw refusal(`${what} has a query or a fragment.`, "Give it up to its path.");
  if (/%(?:2f|5c|25|2e)/i.test(url.pathname))
    throw refusal(`${what} has an encoded slash, dot or percent sign in its path.`, "Write the path plainly.");
  return registryAddress(url).href;
}

const parseOrigin = (text: string): string => new URL(parseAddress(text, "The tarball origin")).origin;

function parseCertificates(text: string): string | undefined {
  if (text.trim() === "") return undefined;
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  const rest = blocks.reduce((left, block) => left.replace(block, ""), text);
  if (/PRIVATE KEY/.test(rest))
    throw refusal(
      "The certificates come with a private key, which nobody should have sent.",
      "Give the CA's certificates alone.",
    );
  if (blocks.length === 0)
    throw refusal("There is no certificate in what was given as CA.", "Give PEM: -----BEGIN CERTIFICATE----- and so on.");
  for (const block of blocks) {
    try {
      new X509Certificate(block);
    } catch (cause) {
      throw new LarderError("E_INPUT", "A certificate of the CA cannot be read.", { hint: "Give it as PEM, whole.", cause });
    }
  }
  return `${blocks.join("\n")}\n`;
}

function assertClaims(wanted: { name: string; scopes: string[]; names: string[] }, stored: readonly StoredRegistry[]): void {
  const { name, scopes, names } = wanted;
  if (name === defaultRegistryName && scopes.length + names.length > 0) {
    throw refusal(
      "The default registry serves all that no other claims: it claims nothing itself.",
      "Add a registry by another name for scopes.",
    );
  }
  for (const other of stored) {
    if (other.name === name) continue;
    const theirs = new Set([...other.scopes, ...other.names].map((each) => each.toLowerCase()));
    const both = [...scopes, ...names].find((each) => theirs.has(each.toLowerCase()));
    if (both === undefined) continue;
    throw new LarderError("E_CONFLICT", `${both} belongs to the registry ${other.name} already.`, {
      hint: `A scope or name has one registry. Take it from ${other.name} first.`,
      details: { registry: other.name },
    });
  }
}

const distinct = (list: readonly string[]): string[] => [...new Set(list)];

const refusal = (message: string, hint: string): LarderError => new LarderError("E_INPUT", message, { hint });

const enteredElsewhere = (name: string, before: string, now: string): LarderError =>
  new LarderError("E_INPUT", `The token of ${name} was entered for ${before}, and is not sent to ${now}.`, {
    hint: "Give the token again together with the new address, or clear it.",
  });
