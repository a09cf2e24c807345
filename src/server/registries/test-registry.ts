import { hasCode, LarderError, type PackageName, parsePackageName, type RegistryTest } from "../../contract/index.ts";
import type { StoredRegistry } from "../../db/index.ts";
import {
  createRegistryClient,
  latestVersion,
  type OutboundGuard,
  type Packument,
  type SingleRegistryClient,
  type WhoAmI,
} from "../../npm/index.ts";
import type { Vault } from "../secrets/vault.ts";
import { assertAllowedAddresses } from "./assert-allowed-addresses.ts";
import { toConfig } from "./live-registries.ts";

interface TestOptions {
  vault: Vault;
  guard: OutboundGuard;
  /** A package that it should have. */
  package: PackageName | undefined;
  signal: AbortSignal;
}

type Step = RegistryTest["steps"][number];
type Verdict = Pick<Step, "state" | "message" | "hint">;

const stepMs = 20_000;
/** There on npm and on whatever mirrors it. */
const wellKnown = parsePackageName("lodash");

/** Tries a registry step by step, as installs would use it; each step says what it found, or why it was not tried. */
export async function testRegistry(
  registry: StoredRegistry,
  { vault, guard, package: wanted, signal }: TestOptions,
): Promise<RegistryTest> {
  const config = toConfig(registry, vault);
  const client = createRegistryClient({
    config,
    guard,
    attempts: 1,
    idleMs: 10_000,
    packumentDeadlineMs: stepMs,
    tarballDeadlineMs: stepMs,
  });
  const steps: Step[] = [];
  let stopped = false;
  let showedItself = false;
  const step = async (name: Step["step"], check: () => Promise<Verdict>): Promise<void> => {
    const startedAt = performance.now();
    const verdict: Verdict = stopped
      ? { state: "skipped", message: "not tried: an earlier step failed" }
      : await check().catch(asFailure);
    stopped ||= verdict.state === "failed";
    steps.push({ step: name, ...verdict, ms: Math.round(performance.now() - startedAt) });
  };

  let found: Found = { kind: "none" };
  await step("address", async () => {
    await assertAllowedAddresses(registry, guard);
    const addresses = await guard.check(config.url, new Set([config.url.origin]));
    return { state: "ok", message: `${config.url.host} is at ${addresses.map(({ address }) => address).join(", ")}` };
  });
  await step("tls", async () => {
    if (config.url.protocol === "http:") return { state: "unsupported", message: "http: what is sent can be read on the way" };
    found = await ask(client, wanted ?? wellKnown, signal);
    if (found.kind === "unreachable") throw found.error;
    return {
      state: "ok",
      message: registry.ca === undefined ? "the certificate is trusted" : "the certificate is trusted, with the CA given",
    };
  });
  await step("auth", async () => {
    if (found.kind === "none") found = await ask(client, wanted ?? wellKnown, signal);
    if (found.kind === "unreachable" || found.kind === "refused") throw found.error;
    if (!("credentials" in config) || config.credentials === undefined)
      return { state: "ok", message: "it lets Larder in without credentials" };
    const who = await client.whoAmI(AbortSignal.timeout(stepMs));
    showedItself = who.kind === "user";
    return judgeCredentials(who, registry);
  });
  await step("packument", async () => {
    if (found.kind === "failed") throw found.error;
    if (found.kind === "packument") {
      return { state: "ok", message: `${found.body.name}, ${Object.keys(found.body.versions).length} versions` };
    }
    if (wanted === undefined)
      return {
        state: "skipped",
        message: `it has no ${wellKnown}, and no other package to ask for was given`,
        hint: hintFor(registry),
      };
    throw new LarderError("E_PACKAGE_NOT_FOUND", `It has no package ${wanted}, or does not show it to Larder.`, {
      hint: "Check the spelling, and what the token may read.",
    });
  });
  await step("tarball", async () => {
    if (found.kind !== "packument")
      return { state: "skipped", message: "not tried: there is no packument to take an address from" };
    return await judgeTarball(client, found.body, signal);
  });
  await step("search", async () => {
    const results = await client.search(wanted ?? scopeText(registry) ?? wellKnown, {
      limit: 5,
      signal: AbortSignal.any([signal, AbortSignal.timeout(stepMs)]),
    });
    if (results === undefined && found.kind === "absent" && !showedItself) {
      // A wrong path answers 404 to everything, too.
      return {
        state: "failed",
        message: `it has no search and no ${wellKnown}: nothing shows that a registry is at ${registry.url}`,
        hint: `Check the path of its address. ${hintFor(registry)}`,
      };
    }
    if (results === undefined) return { state: "unsupported", message: "it has no search: exact names only" };
    return { state: "ok", message: `it searches (${results.length} found)` };
  });
  return { ok: steps.every(({ state }) => state !== "failed"), steps };
}

type Found =
  | { kind: "none" | "absent" }
  | { kind: "packument"; body: Packument }
  | { kind: "unreachable" | "refused" | "failed"; error: LarderError };

async function ask(client: SingleRegistryClient, name: PackageName, signal: AbortSignal): Promise<Found> {
  try {
    const answer = await client.packument(name, { signal });
    return answer.kind === "ok" ? { kind: "packument", body: answer.body } : { kind: "absent" };
  } catch (thrown) {
    signal.throwIfAborted();
    const error = LarderError.from(thrown);
    if (hasCode(error, "E_REGISTRY_AUTH", "E_SECRET_KEY")) return { kind: "refused", error };
    const { code, message } = error;
    const isConnection = code === "E_REGISTRY_UNREACHABLE" || code === "E_REGISTRY_ADDRESS" || /certificate/.test(message);
    return { kind: isConnection ? "unreachable" : "failed", error };
  }
}

/** `-/whoami` is where a registry says whose token it is. Many have none, and a token that reads is good enough. */
function judgeCredentials(who: WhoAmI, { auth, credentialsFor }: StoredRegistry): Verdict {
  const kind = auth === "basic" ? "user name and password" : "token";
  if (who.kind === "refused") {
    return {
      state: "failed",
      message: `it does not accept the ${kind} (HTTP status ${who.status})`,
      hint: "Give it again: it may have expired.",
    };
  }
  return {
    state: "ok",
    message:
      who.kind === "user"
        ? `it takes the ${kind} for ${who.name}'s`
        : `the ${kind} is sent to ${credentialsFor}; whose it is, it does not say`,
  };
}

async function judgeTarball(client: SingleRegistryClient, packument: Packument, signal: AbortSignal): Promise<Verdict> {
  const version = latestVersion(packument) ?? Object.keys(packument.versions).at(-1);
  const described = version === undefined ? undefined : packument.versions[version];
  if (described === undefined) return { state: "skipped", message: `${packument.name} has no version` };
  const label = `${described.name}@${described.version}`;
  const abort = new AbortController();
  const body = await client.tarball(described.dist.tarball, {
    name: described.name,
    label,
    signal: AbortSignal.any([signal, abort.signal]),
  });
  for await (const _ of body) break;
  abort.abort();
  return { state: "ok", message: `${label} can be fetched from ${new URL(described.dist.tarball).host}` };
}

const scopeText = ({ scopes }: StoredRegistry): string | undefined => scopes[0];

const hintFor = ({ scopes, names }: StoredRegistry): string => {
  const example = names.find((name) => !name.includes("*")) ?? (scopes[0] ? `${scopes[0]}/NAME` : "NAME");
  return `Name one that it should have: --package ${example}`;
};

function asFailure(thrown: unknown): Verdict {
  const { message, hint } = LarderError.from(thrown);
  return { state: "failed", message, ...(hint === undefined ? {} : { hint }) };
}
