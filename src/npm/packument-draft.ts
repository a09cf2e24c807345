import { LarderError, type PackageName } from "../contract/index.ts";
import { JsonShapeError } from "./json-members.ts";
import type { Packument } from "./packument.ts";
import { readPackumentVersion } from "./packument-version.ts";

export interface PackumentLimits {
  /** Decompressed. */
  bytes: number;
  versions: number;
  /** Of one version's own document. */
  versionBytes: number;
}

export interface DraftOptions {
  name: PackageName;
  host: string;
  limits: PackumentLimits;
}

/** A packument that is being read. What it throws besides a `LarderError` says that this is no packument. */
export interface PackumentDraft {
  /** A member of the document. */
  member(name: string, value: unknown): void;
  /** A member of its `versions`. */
  version(version: string, value: unknown): void;
  /** Throws when it describes another package. */
  finish(): Packument;
}

const maxTags = 10_000;
const descriptionLimit = 500;

export function createPackumentDraft({ name, host, limits }: DraftOptions): PackumentDraft {
  const packument: Packument = { name, "dist-tags": Object.create(null), versions: Object.create(null) };
  let declaredName: unknown;
  let versions = 0;
  return {
    member(member, value) {
      if (member === "name") declaredName = value;
      else if (member === "time") packument.time = readTexts(value, limits.versions + maxTags);
      else if (member === "dist-tags") packument["dist-tags"] = readTags(value);
      else if (typeof value !== "string") return;
      else if (member === "modified") packument.modified = value;
      else if (member === "description") packument.description = value.slice(0, descriptionLimit);
    },
    version(version, value) {
      if (++versions > limits.versions) throw tooLarge(name, host, `more than ${limits.versions} versions`);
      const read = readPackumentVersion(name, version, value);
      if (read) packument.versions[version] = read;
    },
    finish() {
      if (declaredName === name) return packument;
      throw new JsonShapeError(
        declaredName === undefined ? "it names no package" : `it describes ${JSON.stringify(declaredName).slice(0, 100)}`,
      );
    },
  };
}

function readTags(value: unknown): Record<string, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new JsonShapeError("dist-tags is not an object");
  return readTexts(value, maxTags);
}

function readTexts(value: unknown, limit: number): Record<string, string> {
  const texts = Object.create(null) as Record<string, string>;
  if (typeof value !== "object" || value === null) return texts;
  for (const [key, text] of Object.entries(value).slice(0, limit)) if (typeof text === "string") texts[key] = text;
  return texts;
}

export const tooLarge = (name: PackageName, host: string, what: string): LarderError =>
  new LarderError("E_TOO_LARGE", `The metadata of ${name} from ${host} is ${what}.`, {
    hint: "Larder reads packuments of up to 128 MiB. Take the package off the allowlist.",
    details: { package: name, registry: host },
  });
