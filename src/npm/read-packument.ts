import { LarderError, type PackageName } from "../contract/index.ts";
import { createJsonMembers, JsonShapeError } from "./json-members.ts";
import type { Packument } from "./packument.ts";
import { createPackumentDraft, type DraftOptions, type PackumentLimits, tooLarge } from "./packument-draft.ts";
import { versionMembers } from "./packument-version.ts";

/** The largest documents on npm are about 40 MB (vite, next); the most versions of one package about 7,000. */
export const defaultPackumentLimits: PackumentLimits = { bytes: 128 << 20, versions: 100_000, versionBytes: 8 << 20 };

const maxDepth = 100;
/** Bytes handled before other work gets its turn. */
const sliceBytes = 1 << 20;
/** A document of this size is parsed at once: four times as fast as piece by piece, and it stalls nothing for longer than a slice would. */
const wholeBytes = 2 << 20;

/**
 * A packument from its (decompressed) bytes. A large one is read in one pass, in which each version is cut down as it goes by, so that a document of 40 MB costs
 * neither a long stall nor its size in memory. Throws `E_TOO_LARGE` at the cap, and `E_REGISTRY_ANSWER` for what is not a packument of `name`.
 */
export async function readPackument(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { name, host, limits = defaultPackumentLimits }: { name: PackageName; host: string; limits?: PackumentLimits },
): Promise<Packument> {
  const options = { name, host, limits };
  let reader: ReturnType<typeof createReader> | undefined;
  const wholeLimit = Math.min(wholeBytes, limits.versionBytes);
  const kept: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of source) {
      bytes += chunk.length;
      if (bytes > limits.bytes) throw tooLarge(name, host, `larger than ${limits.bytes} bytes`);
      kept.push(chunk);
      if (bytes <= wholeLimit) continue;
      reader ??= createReader(options);
      for (const each of kept.splice(0)) await reader.push(each);
    }
    return reader ? reader.end() : parseWhole(Buffer.concat(kept), options);
  } catch (error) {
    // A TypeError is the decoder's: the text is not UTF-8.
    const isGarbage = error instanceof JsonShapeError || error instanceof SyntaxError || error instanceof TypeError;
    throw isGarbage ? registryAnswer(name, host, error.message, error) : error;
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function parseWhole(bytes: Uint8Array, options: DraftOptions): Packument {
  const document: unknown = JSON.parse(decoder.decode(bytes));
  if (!isObject(document)) throw new JsonShapeError("this is not a JSON object");
  const { versions = {}, ...members } = document;
  if (!isObject(versions)) throw new JsonShapeError(`"versions" is not an object`);
  const draft = createPackumentDraft(options);
  for (const member in members) draft.member(member, members[member]);
  for (const version in versions) draft.version(version, versions[version]);
  return draft.finish();
}

function createReader(options: DraftOptions) {
  const draft = createPackumentDraft(options);
  const members = createJsonMembers(
    {
      open: new Set(["versions"]),
      whole: new Set(["name", "dist-tags", "time", "modified", "description"]),
      pick: versionMembers,
      valueBytes: options.limits.versionBytes,
      depth: maxDepth,
    },
    ({ path: [member, version], text }) => {
      if (version === undefined) draft.member(member, JSON.parse(text));
      else draft.version(version, JSON.parse(text));
    },
  );
  let turn = 0;
  return {
    async push(chunk: Uint8Array): Promise<void> {
      for (let at = 0; at < chunk.length; at += sliceBytes) {
        const slice = chunk.subarray(at, at + sliceBytes);
        members.push(slice);
        turn += slice.length;
        if (turn < sliceBytes) continue;
        turn = 0;
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    end(): Packument {
      members.end();
      return draft.finish();
    },
  };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const registryAnswer = (name: PackageName, host: string, why: string, cause: Error): LarderError =>
  new LarderError("E_REGISTRY_ANSWER", `${host} did not answer with the metadata of ${name}: ${why}.`, {
    hint: "Check that the registry's address is right, and that no proxy or login page answers in its place.",
    details: { package: name, registry: host },
    cause,
  });
