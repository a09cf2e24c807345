import { LarderError } from "../contract/bare.ts";

/** Why a tarball was refused; in `details.rule`. */
export type ArchiveRule =
  | "gzip"
  | "header"
  | "checksum"
  | "size"
  | "metadata"
  | "sparse"
  | "link"
  | "type"
  | "truncated"
  | "after-end"
  | "path-empty"
  | "path-encoding"
  | "path-nul"
  | "path-absolute"
  | "path-backslash"
  | "path-drive"
  | "path-traversal"
  | "path-length"
  | "component-length"
  | "depth"
  | "root"
  | "duplicate"
  | "collision"
  | "file-and-folder"
  | "package-json";

/** Makes the refusals of one tarball, each naming the package and the entry. */
export interface Refusals {
  archive(rule: ArchiveRule, entry: string, says: string): LarderError;
  tooLarge(what: string, found: { bytes: number; limit: number; entry?: string }): LarderError;
}

export function createRefusals(label: string): Refusals {
  return {
    archive: (rule, entry, says) =>
      new LarderError("E_ARCHIVE", `The tarball of ${label} is refused: ${entry === "" ? "" : `${shown(entry)} `}${says}.`, {
        hint: "Choose another version of this package, or ask its author to publish it again.",
        details: { package: label, entry: entry.slice(0, maxShown), rule },
      }),
    tooLarge: (what, { bytes, limit, entry }) =>
      new LarderError("E_TOO_LARGE", `The tarball of ${label} is refused: ${what} (${bytes}) above the limit of ${limit}.`, {
        hint: "Choose another version of this package, or do without it.",
        details: { package: label, bytes, limit, ...(entry === undefined ? {} : { entry: entry.slice(0, maxShown) }) },
      }),
  };
}

const maxShown = 300;
const shown = (entry: string): string => JSON.stringify(entry.length > maxShown ? `${entry.slice(0, maxShown)}…` : entry);
