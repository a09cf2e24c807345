import {
  hasCode,
  isPackageName,
  LarderError,
  type PackageName,
  type PackageSearch,
  type PackageVersions,
} from "../../contract/index.ts";
import { type FoundPackage, latestVersion, type RegistryRouter, type SingleRegistryClient } from "../../npm/index.ts";
import { createAnswerCache } from "./answer-cache.ts";
import type { LiveRegistries } from "./live-registries.ts";
import { describeVersions } from "./package-versions.ts";
import { registriesToAsk } from "./registries-to-ask.ts";
import { timestampOf } from "./timestamp-of.ts";

interface Caller {
  /** Who asks: an answer that one was given is not shown to another. */
  user: string;
  signal: AbortSignal;
}

/** What registries have, asked by the control plane with its credentials: nobody else needs any. */
export interface PackageSearchService {
  search(input: { text: string; limit: number; registry?: string | undefined }, caller: Caller): Promise<PackageSearch>;
  versions(input: { name: PackageName; limit: number }, caller: Caller): Promise<PackageVersions>;
}

export interface PackageSearchOptions {
  registries: LiveRegistries;
  /** Of each registry's search. */
  searchMs?: number;
  versionsMs?: number;
}

export function createPackageSearch({
  registries,
  searchMs = 5000,
  versionsMs = 30_000,
}: PackageSearchOptions): PackageSearchService {
  const cache = createAnswerCache();
  return {
    async search({ text, limit, registry }, { user, signal }) {
      const router = await registries.router();
      const asked = registriesToAsk(router, text).filter(({ config }) => registry === undefined || config.name === registry);
      const answers = await Promise.all(
        asked.map((client) =>
          cache.get(
            {
              router,
              key: ["search", client.config.name, user, text, limit],
              keep: ({ registry }) => registry.state !== "failed",
            },
            // Several may wait for it: who leaves does not end it.
            () => searchOne(client, router, { text, limit, signal: AbortSignal.timeout(searchMs) }),
          ),
        ),
      );
      signal.throwIfAborted();
      return {
        results: ranked(
          answers.flatMap(({ results }) => results),
          text,
        ).slice(0, limit),
        registries: answers.map(({ registry }) => registry),
      };
    },
    async versions({ name, limit }, { user, signal }) {
      const router = await registries.router();
      const client = router.clientOf(name);
      const all = await cache.get({ router, key: ["versions", client.config.name, user, name] }, () =>
        readVersions(client, name, AbortSignal.timeout(versionsMs)),
      );
      signal.throwIfAborted();
      return { ...all, versions: all.versions.slice(0, limit) };
    },
  };
}

interface Answer {
  results: PackageSearch["results"];
  registry: PackageSearch["registries"][number];
}

interface Question {
  text: string;
  limit: number;
  signal: AbortSignal;
}

/** Never rejects: one registry's trouble hides nothing of the others. */
async function searchOne(client: SingleRegistryClient, router: RegistryRouter, question: Question): Promise<Answer> {
  const { name } = client.config;
  try {
    const [found, exact] = await Promise.all([client.search(question.text, question), exactName(client, router, question)]);
    const others = (found ?? []).filter((each) => each.name !== exact?.name);
    // What a registry says of names that are another's counts for nothing.
    const own = [...(exact ? [exact] : []), ...others].filter((each) => router.clientOf(each.name) === client);
    return {
      results: own.map((each) => ({ ...each, registry: name, exact: each.name === question.text })),
      registry: { name, state: found === undefined ? "noSearch" : "ok" },
    };
  } catch (thrown) {
    const error = question.signal.aborted ? tooSlow(client.host) : LarderError.from(thrown);
    return { results: [], registry: { name, state: "failed", message: error.message } };
  }
}

/** Every registry can say whether it has exactly this name, also one without a search. */
async function exactName(
  client: SingleRegistryClient,
  router: RegistryRouter,
  { text, signal }: Question,
): Promise<FoundPackage | undefined> {
  if (!isPackageName(text) || router.clientOf(text) !== client) return undefined;
  try {
    const answer = await client.packument(text, { signal, full: true });
    if (answer.kind !== "ok") return undefined;
    const { name, description, time } = answer.body;
    const version = latestVersion(answer.body);
    const publishedAt = version && timestampOf(time?.[version]);
    return { name, ...(version && { version }), ...(description && { description }), ...(publishedAt && { publishedAt }) };
  } catch (error) {
    // Too large to complete, or no packument at all: the search may still know it.
    if (hasCode(error, "E_TOO_LARGE", "E_REGISTRY_ANSWER")) return undefined;
    throw error;
  }
}

/** The exact name first, then names that begin with the text, then the registries' own order. */
function ranked(results: PackageSearch["results"], text: string): PackageSearch["results"] {
  const rank = ({ name, exact }: PackageSearch["results"][number]) => (exact ? 0 : name.startsWith(text) ? 1 : 2);
  return results.toSorted((a, b) => rank(a) - rank(b));
}

async function readVersions(client: SingleRegistryClient, name: PackageName, signal: AbortSignal): Promise<PackageVersions> {
  const answer = await client.packument(name, { signal, full: true }).catch((error: unknown) => {
    throw signal.aborted ? tooSlow(client.host) : error;
  });
  if (answer.kind === "ok") return describeVersions(answer.body, client.config.name);
  throw new LarderError("E_PACKAGE_NOT_FOUND", `The registry ${client.host} has no package ${name}.`, {
    hint: "Check the spelling; for a private package, that its registry is set for its scope or name and has a token: larder registry list",
    details: { name, registry: client.config.name },
  });
}

const tooSlow = (host: string): LarderError =>
  new LarderError("E_TIMEOUT", `The registry ${host} did not answer in time.`, { retryable: true });
