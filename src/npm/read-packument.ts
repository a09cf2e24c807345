import { LarderError, type PackageName } from "../contract/index.ts";
import { createJsonMembers, JsonShapeError } from "./json-members.ts";
import type { Packument } from "./packument.ts";
import { readPackumentVersion, versionMembers } from "./packument-version.ts";

export interface PackumentLimits {
  /** Decompressed. */
  bytes: number;
  versions: number;
  /** Of one version's own document. */
  versionBytes: number;
}

/** The largest documents on npm are about 40 MB (vite, next); the most versions of one package about 7,000. */
export const defaultPackumentLimits: PackumentLimits = { bytes: 128 << 20, versions: 100_000, versionBytes: 8 << 20 };

const maxDepth = 100;
const maxTags = 10_000;
const descriptionLimit = 500;
/** Bytes handled before other work gets its turn. */
const sliceBytes = 1 << 20;

/**
 * A packument from its (decompressed) bytes, in one pass: each version is cut down as it goes by, so that a document of 40 MB costs neither a long stall nor its
 * size in memory. Throws `E_TOO_LARGE` at the cap, and `E_REGISTRY_ANSWER` for what is not a packument of `name`.
 */
export async function readPackument(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { name, host, limits = defaultPackumentLimits }: { name: PackageName; host: string; limits?: PackumentLimits },
): Promise<Packument> {
  const packument: Packument = { name, "dist-tags": Object.create(null), versions: Object.create(null) };
  let declaredName: unknown;
  let versions = 0;
  const members = createJsonMembers(
    {
      open: new Set(["versions"]),
      whole: new Set(["name", "dist-tags", "time", "modified", "description"]),
      pick: versionMembers,
      valueBytes: limits.versionBytes,
      depth: maxDepth,
    },
    ({ path: [member, version], text }) => {
      const value: unknown = JSON.parse(text);
      if (version !== undefined) {
        if (++versions > limits.versions) throw tooLarge(name, host, `more than ${limits.versions} versions`);
        const read = readPackumentVersion(name, version, value);
        if (read) packument.versions[version] = read;
      } else if (member === "name") declaredName = value;
      else if (member === "time") packument.time = readTexts(value, limits.versions + maxTags);
      else if (member === "dist-tags") packument["dist-tags"] = readTags(value);
      else if (typeof value !== "string") return;
      else if (member === "modified") packument.modified = value;
      else packument.description = value.slice(0, descriptionLimit);
    },
  );
  const parse = (step: () => void) => {
    try {
      step();
    } catch (error) {
      // A TypeError is the decoder's: the text is not UTF-8.
      const isGarbage = error instanceof JsonShapeError || error instanceof SyntaxError || error instanceof TypeError;
      throw isGarbage ? registryAnswer(name, host, error.message, error) : error;
    }
  };
  let bytes = 0;
  let turn = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > limits.bytes) throw tooLarge(name, host, `larger than ${limits.bytes} bytes`);
    for (let at = 0; at < chunk.length; at += sliceBytes) {
      const slice = chunk.subarray(at, at + sliceBytes);
      parse(() => members.push(slice));
      turn += slice.length;
      if (turn < sliceBytes) continue;
      turn = 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  parse(() => members.end());
  if (declaredName !== name) throw registryAnswer(name, host, `it describes ${JSON.stringify(declaredName)?.slice(0, 100)}`);
  return packument;
}

function readTags(value: unknown): Record<string, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new SyntaxError("dist-tags is not an object");
  return readTexts(value, maxTags);
}

function readTexts(value: unknown, limit: number): Record<string, string> {
  const texts = Object.create(null) as Record<string, string>;
  if (typeof value !== "object" || value === null) return texts;
  for (const [key, text] of Object.entries(value).slice(0, limit)) if (typeof text === "string") texts[key] = text;
  return texts;
}

const registryAnswer = (name: PackageName, host: string, why: string, cause?: unknown): LarderError =>
  new LarderError("E_REGISTRY_ANSWER", `${host} did not answer with the metadata of ${name}: ${why}.`, {
    hint: "Check that the registry's address is right, and that no proxy or login page answers in its place.",
    details: { package: name, registry: host },
    cause,
  });

const tooLarge = (name: PackageName, host: string, what: string): LarderError =>
  new LarderError("E_TOO_LARGE", `The metadata of ${name} from ${host} is ${what}.`, {
    hint: "Larder reads packuments of up to 128 MiB. Take the package off the allowlist.",
    details: { package: name, registry: host },
  });
