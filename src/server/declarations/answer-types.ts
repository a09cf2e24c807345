import {
  type Allowlist,
  type EnvironmentName,
  type Generation,
  LarderError,
  type LockfileHash,
  type Manifest,
  parseManifest,
  type SpecifierTypes,
  type TypesIndex,
  typesFormat,
} from "../../contract/index.ts";
import { currentGeneration, type Db, getAllowlist, getGeneration, getManifest } from "../../db/index.ts";
import { noLongerAvailable } from "../../operations/index.ts";
import { collectTypes, createLayout, type Layout } from "../../types/index.ts";
import type { TypesLibrary } from "./types-library.ts";

export interface TypesQuestion {
  environment: EnvironmentName;
  wanted: readonly string[] | "all";
  /** Absent: the current one. */
  generation?: number | undefined;
}

export interface TypesAnswers {
  /** The environment must exist. Throws `E_NOT_FOUND` for a generation that there is not. */
  answer(question: TypesQuestion): Promise<TypesIndex>;
}

/** One answer's size: what a browser's editor can take, and what a directory for a local editor may need. */
const limits = { some: { files: 8_000, bytes: 48 << 20 }, all: { files: 60_000, bytes: 384 << 20 } };
/** All that one answer waits for declarations that are cut while it does. */
const patienceMs = 8_000;
const keptAnswers = 100;
const keptLayouts = 4;

export function createTypesAnswers({ db, library }: { db: Db; library: TypesLibrary }): TypesAnswers {
  const answers = new Map<string, TypesIndex>();
  const layouts = new Map<LockfileHash, { manifest: Manifest; layout: Layout }>();

  const layoutOf = async (generation: Generation) => {
    const known = layouts.get(generation.lockfileHash);
    if (known) return known;
    const stored = await getManifest(db.query, generation.lockfileHash);
    if (stored === undefined) throw noLongerAvailable(generation);
    const manifest = parseManifest(stored.body);
    const made = { manifest, layout: createLayout(manifest) };
    keep(layouts, generation.lockfileHash, made, keptLayouts);
    return made;
  };

  return {
    async answer({ environment, wanted, generation: number }) {
      const generation = await generationOf(db, environment, number);
      if (generation === undefined) {
        const allowlist = await getAllowlist(db.query, environment);
        return nothingInstalled(environment, wanted, allowlist);
      }
      const { lockfileHash } = generation;
      const question = JSON.stringify([environment, generation.number, lockfileHash, wanted]);
      const known = answers.get(question);
      if (known) return known;
      const { manifest, layout } = await layoutOf(generation);
      const until = performance.now() + patienceMs;
      const collected = await collectTypes(wanted, {
        manifest,
        layout,
        limits: wanted === "all" ? limits.all : limits.some,
        load: (keys) => library.load(keys, { waitMs: Math.max(0, until - performance.now()) }),
      });
      const answer: TypesIndex = { format: typesFormat, environment, generation: generation.number, lockfileHash, ...collected };
      if (answer.final && wanted !== "all") keep(answers, question, answer, keptAnswers);
      if (!answer.final && generation.current) explainAbsent(answer.specifiers, await getAllowlist(db.query, environment));
      return answer;
    },
  };
}

async function generationOf({ query }: Db, environment: EnvironmentName, number?: number): Promise<Generation | undefined> {
  if (number === undefined) return await currentGeneration(query, environment);
  const found = await getGeneration(query, environment, number);
  if (found) return found;
  throw new LarderError("E_NOT_FOUND", `Environment ${environment} has no generation ${number}.`, {
    hint: "`larder generations` shows those there are.",
    details: { environment, generation: number },
  });
}

function nothingInstalled(
  environment: EnvironmentName,
  wanted: readonly string[] | "all",
  allowlist: Allowlist | undefined,
): TypesIndex {
  const specifiers = (wanted === "all" ? [] : wanted).map(
    (specifier): SpecifierTypes => ({
      specifier,
      status: "notAllowlisted",
      hint: "Nothing was installed in this environment yet.",
    }),
  );
  explainAbsent(specifiers, allowlist);
  return {
    format: typesFormat,
    environment,
    generation: 0,
    final: false,
    specifiers,
    packages: [],
    libs: [],
    missing: [],
    totals: { packages: 0, files: 0, bytes: 0 },
  };
}

/** What is not in the generation may be on the allowlist. */
function explainAbsent(specifiers: SpecifierTypes[], allowlist: Allowlist | undefined): void {
  for (const each of specifiers) {
    if (each.status !== "notAllowlisted") continue;
    const entry = allowlist?.packages.find(({ name }) => each.specifier === name || each.specifier.startsWith(`${name}/`));
    if (entry === undefined) continue;
    if (entry.enabled)
      Object.assign(each, { status: "notInstalled", hint: `${entry.name} is on the allowlist; it comes with the next install.` });
    else each.hint = `${entry.name} is on the allowlist, but disabled there.`;
  }
}

function keep<K, V>(map: Map<K, V>, key: K, value: V, limit: number): void {
  map.set(key, value);
  if (map.size <= limit) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
