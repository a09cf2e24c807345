import { defaultRegistryName, LarderError, type RegistryImport, type RegistryInput } from "../../contract/index.ts";
import { type Db, listStoredRegistries, lockRegistries, putRegistry, recordAudit, type StoredRegistry } from "../../db/index.ts";
import { isBelow, type OutboundGuard, registryAddress } from "../../npm/index.ts";
import { formatNotice } from "../events/notice.ts";
import type { Vault } from "../secrets/vault.ts";
import { assertAllowedAddresses } from "./assert-allowed-addresses.ts";
import { mergeRegistry } from "./merge-registry.ts";
import { type Npmrc, type NpmrcCredentials, type NpmrcRegistry, parseNpmrc } from "./npmrc.ts";
import { registryFacts } from "./registry-facts.ts";

interface ImportOptions {
  db: Db;
  vault: Vault;
  guard: OutboundGuard;
  /** The default registry as long as none is stored. */
  setting: URL;
  actor: string;
}

type Merged = Omit<StoredRegistry, "updatedAt">;

/**
 * The registries and credentials of an .npmrc become ours, all or none; the text itself is not kept. Values from environment variables are refused: Larder knows none
 * of them, and a registry without its token is not what the file means.
 */
export async function importNpmrc(
  { npmrc: text, cafile, dryRun }: { npmrc: string; cafile?: string | undefined; dryRun: boolean },
  { db, vault, guard, setting, actor }: ImportOptions,
): Promise<RegistryImport> {
  const npmrc = parseNpmrc(text);
  assertNoVariables(npmrc);
  assertNothingEmpty(npmrc);
  if (npmrc.cafile !== undefined && cafile === undefined) throw missingCafile();
  const plan = (stored: readonly StoredRegistry[]) => planImport(npmrc, { stored, cafile, setting, vault, actor });
  const before = await listStoredRegistries(db.query);
  const first = plan(before);
  for (const registry of first.registries) await assertAllowedAddresses(registry, guard);
  const ignored = [...npmrc.ignored, ...first.ignored].toSorted((a, b) => a.line - b.line);
  if (dryRun) return { ...described(first.registries, before), ignored };
  return await db.transaction(async (tx) => {
    const stored = await lockRegistries(tx);
    const { registries } = plan(stored);
    for (const registry of registries) await putRegistry(tx, registry);
    const details = { registries: registries.map(({ name, url, scopes, auth }) => ({ name, url, scopes, auth })) };
    await recordAudit(tx, { actor, action: "registry.import", target: ".npmrc", details });
    await db.notify(tx, formatNotice({ type: "registries" }));
    return { ...described(registries, stored), ignored };
  });
}

function described(registries: readonly Merged[], stored: readonly StoredRegistry[]): Omit<RegistryImport, "ignored"> {
  return {
    registries: registries.map((registry) => {
      const { updatedAt, ...facts } = registryFacts({ ...registry, updatedAt: "" });
      return facts;
    }),
    changes: registries.map(({ name }) => ({ name, change: stored.some((each) => each.name === name) ? "changed" : "added" })),
  };
}

interface PlanOptions {
  stored: readonly StoredRegistry[];
  cafile: string | undefined;
  setting: URL;
  vault: Vault;
  actor: string;
}

/** What npm asks, and sends credentials without an address to, as long as an .npmrc names no other. */
const npmsDefault = new URL("https://registry.npmjs.org/");

function planImport(npmrc: Npmrc, { stored, cafile, setting, vault, actor }: PlanOptions) {
  const present = stored.find(({ name }) => name === defaultRegistryName);
  const ca = [npmrc.ca, cafile].filter((each) => each !== undefined).join("\n");
  const used = new Set<NpmrcCredentials>();
  const taken = new Set([defaultRegistryName, ...stored.map(({ name }) => name)]);
  const inputs = groupByAddress(npmrc, present ? new URL(present.url) : setting).map(({ url, scopes }): RegistryInput => {
    const existing = stored.find(
      (each) => each.url === url.href && (each.name === defaultRegistryName) === (scopes === undefined),
    );
    const credentials = credentialsFor(npmrc, url, scopes === undefined);
    if (credentials) used.add(credentials.found);
    return {
      name: scopes === undefined ? defaultRegistryName : (existing?.name ?? freeName(url, taken)),
      url: url.href,
      ...(scopes && { scopes: [...new Set([...(existing?.scopes ?? []), ...scopes])] }),
      ...(credentials && { auth: credentials.found.auth, credentialsFor: credentials.prefix }),
      ...(ca !== "" && { ca }),
    };
  });
  const registries: Merged[] = [];
  for (const input of inputs) {
    const others = [
      ...stored.filter(({ name }) => !registries.some((each) => each.name === name)),
      ...registries.map((each) => ({ ...each, updatedAt: "" })),
    ];
    registries.push(mergeRegistry(input, { stored: others, vault, updatedBy: actor }));
  }
  const ignored = npmrc.credentials
    .filter((each) => !used.has(each))
    .map(({ line, address }) => ({
      line,
      why:
        address === undefined
          ? `without an address these credentials are for ${npmsDefault.href}, which is not the default registry here`
          : "no registry in this file has the address that these credentials are for",
    }));
  return { registries, ignored };
}

/** One registry for each address: the default, and those of scopes. Credentials for the default alone name it, too. */
function groupByAddress(npmrc: Npmrc, present: URL): { url: URL; scopes: string[] | undefined }[] {
  const { registries } = npmrc;
  const byAddress = new Map<string, { url: URL; scopes: string[] }>();
  for (const registry of registries) {
    if (registry.scope === undefined) continue;
    const url = addressOf(registry);
    const group = byAddress.get(url.href) ?? { url, scopes: [] };
    group.scopes.push(registry.scope);
    byAddress.set(url.href, group);
  }
  const named = registries.findLast(({ scope }) => scope === undefined);
  const main = named ? addressOf(named) : registryAddress(present);
  const isMeant = named !== undefined || credentialsFor(npmrc, main, true) !== undefined;
  return [...(isMeant ? [{ url: main, scopes: undefined }] : []), ...byAddress.values()];
}

/** As npm does: those of the address itself, or of the nearest one above it. */
function credentialsFor(
  { credentials: all, registries }: Npmrc,
  url: URL,
  isDefault: boolean,
): { found: NpmrcCredentials; prefix: string } | undefined {
  const takesBare = isDefault && (url.href === npmsDefault.href || registries.some(({ scope }) => scope === undefined));
  const matching = all
    .flatMap((found) => {
      if (found.address === undefined) return takesBare ? [{ found, prefix: url.href }] : [];
      const address = URL.canParse(`${url.protocol}${found.address}`)
        ? registryAddress(new URL(`${url.protocol}${found.address}`))
        : undefined;
      return address && isBelow(url, address) ? [{ found, prefix: address.href }] : [];
    })
    .toSorted((a, b) => b.prefix.length - a.prefix.length);
  return matching[0];
}

function addressOf({ url, line }: NpmrcRegistry): URL {
  if (URL.canParse(url)) return registryAddress(new URL(url));
  throw new LarderError("E_INPUT", `Line ${line} of the .npmrc names a registry by something that is no address.`, {
    hint: "Give it as https://HOST/PATH/.",
  });
}

/** Of the host's name, and not to be given again. */
function freeName({ hostname }: URL, taken: Set<string>): string {
  const base =
    hostname
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, 28) || "registry";
  for (let number = 1; ; number++) {
    const name = number === 1 ? base : `${base}-${number}`;
    if (taken.has(name)) continue;
    taken.add(name);
    return name;
  }
}

function assertNoVariables({ variables }: Npmrc): void {
  const [first] = variables;
  if (first === undefined) return;
  const lines = variables
    .map(({ line, key, variable }) => `line ${line}: ${key.replace(/^.*:/, "")} is \${${variable}}`)
    .join("; ");
  throw new LarderError("E_INPUT", `The .npmrc takes values from environment variables, which Larder does not have: ${lines}.`, {
    hint: "Fill them in on the way: envsubst < .npmrc | larder registry import -",
    details: { lines: variables.map(({ line, variable }) => ({ line, variable })) },
  });
}

function assertNothingEmpty({ empty: [first] }: Npmrc): void {
  if (first === undefined) return;
  throw new LarderError("E_INPUT", `Line ${first.line} of the .npmrc has nothing for ${first.key.replace(/^.*:/, "")}.`, {
    hint: "If it was filled in from an environment variable, that was not set. Set it, or take the line out.",
  });
}

const missingCafile = (): LarderError =>
  new LarderError("E_INPUT", "The .npmrc names a cafile, whose content was not given.", {
    hint: "`larder registry import FILE` reads and sends it by itself.",
  });
