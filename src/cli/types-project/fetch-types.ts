import { createHash } from "node:crypto";
import {
  type BlobKey,
  LarderError,
  rawRoutes,
  type TypesBundle,
  type TypesIndex,
  typesBundleSchema,
  typesIndexSchema,
} from "../../contract/index.ts";
import { mapConcurrent, sleep } from "../../lib/index.ts";
import type { Connection } from "../connection.ts";

export interface TypesWanted {
  environment: string;
  specifiers: readonly string[] | "all";
  generation?: number | undefined;
}

/** As long as declarations may be in the making. */
const patienceMs = 120_000;

/** The index, asked for again while declarations are being cut. */
export async function fetchTypesIndex({ raw }: Connection, wanted: TypesWanted, signal: AbortSignal): Promise<TypesIndex> {
  const query = new URLSearchParams();
  if (wanted.specifiers === "all") query.set("all", "true");
  else for (const specifier of wanted.specifiers) query.append("specifier", specifier);
  if (wanted.generation !== undefined) query.set("generation", String(wanted.generation));
  const path = `${rawRoutes.types(wanted.environment)}?${query}`;
  for (const until = Date.now() + patienceMs; ; ) {
    const index = typesIndexSchema.parse(decode(await raw(path)));
    if (!index.specifiers.some(({ status }) => status === "pending") || Date.now() > until) return index;
    await sleep(500, signal);
  }
}

/** All files of an index, below its root. Every bundle is fetched once, and is what its key says. */
export async function fetchTypesFiles(
  { raw }: Connection,
  index: TypesIndex,
  { signal, onProgress }: { signal: AbortSignal; onProgress(done: number, total: number): void },
): Promise<Map<string, string>> {
  const keys = [...new Set(index.packages.map(({ bundle }) => bundle))];
  let done = 0;
  const bundles = new Map<BlobKey, TypesBundle>();
  await mapConcurrent(keys, { limit: 8, signal }, async (key) => {
    const json = await raw(rawRoutes.typesBundle(index.environment, key));
    if (createHash("sha512").update(json).digest("hex") !== key) throw wrongBytes(key);
    bundles.set(key, typesBundleSchema.parse(decode(json)));
    onProgress(++done, keys.length);
  });
  const files = new Map<string, string>();
  for (const { path, bundle, files: names } of index.packages) {
    const { files: places, texts } = bundles.get(bundle) as TypesBundle;
    for (const name of names) {
      const text = texts[places[name] ?? -1];
      if (text === undefined) throw wrongBytes(bundle);
      files.set(`${path}/${name}`, text);
    }
  }
  return files;
}

const decode = (json: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(json));

const wrongBytes = (key: BlobKey): LarderError =>
  new LarderError("E_INTEGRITY", `The server sent other types than it named (${key.slice(0, 16)}…).`, {
    hint: "Try again; if it happens again, something between here and the server changes bytes.",
    retryable: true,
  });
