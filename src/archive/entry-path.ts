import type { ArchiveLimits } from "./archive-limits.ts";
import type { ArchiveRule } from "./refusal.ts";

export interface EntryPath {
  /** The first component, whatever it is called. */
  root: string;
  /** Below the root; "" for the root itself. */
  path: string;
  /** Root and path: equal for two entries exactly when they are one place. */
  place: string;
  /** Written as a folder: with a slash at its end. */
  isFolder: boolean;
}

export interface PathFault {
  rule: ArchiveRule;
  says: string;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
// biome-ignore lint/suspicious/noControlCharactersInRegex: this is the test for ASCII
const ascii = /^[\x00-\x7f]*$/;

/** `raw`: bytes as latin1. `undefined` when they are not UTF-8 (overlong forms and lone surrogates are not). */
export function decodePath(raw: string): string | undefined {
  if (ascii.test(raw)) return raw;
  try {
    return decoder.decode(Buffer.from(raw, "latin1"));
  } catch {
    // The decoder's only failure: not UTF-8.
    return undefined;
  }
}

/** The name that an entry has in the archive → where it belongs in the package; a fault for what could lead anywhere else. */
export function parseEntryPath(name: string, limits: ArchiveLimits): EntryPath | PathFault {
  if (name === "") return { rule: "path-empty", says: "an entry has no name" };
  if (name.includes("\0")) return { rule: "path-nul", says: "has a NUL in its name" };
  if (name.includes("\\")) return { rule: "path-backslash", says: "has a backslash in its name" };
  if (name.startsWith("/")) return { rule: "path-absolute", says: "is an absolute path" };
  const bytes = Buffer.byteLength(name);
  if (bytes > limits.pathBytes) return { rule: "path-length", says: `is longer than ${limits.pathBytes} bytes` };
  const slash = name.indexOf("/");
  const root = slash < 0 ? name : name.slice(0, slash);
  const rest = slash < 0 ? "" : name.slice(slash + 1);
  if (isDrive(root) || isDrive(rest)) return { rule: "path-drive", says: "names a drive" };
  if (root === ".." || hasParent.test(rest)) return { rule: "path-traversal", says: "leads out of the package" };
  const isPlain = !hasNeedlessPart.test(rest);
  const path = isPlain ? rest : withoutNeedlessParts(rest);
  const components = path.split("/");
  if (components.length > limits.depth) return { rule: "depth", says: `is nested deeper than ${limits.depth} folders` };
  if (bytes > limits.componentBytes && components.some((component) => Buffer.byteLength(component) > limits.componentBytes)) {
    return { rule: "component-length", says: `has a part longer than ${limits.componentBytes} bytes` };
  }
  // The name itself where that is the same: a slice of it would keep both in memory, 200,000 times.
  return { root, path, place: isPlain ? name : `${root}/${path}`, isFolder: name.endsWith("/") };
}

const hasParent = /(?:^|\/)\.\.(?:\/|$)/;
/** An empty part or a lone dot: "a//b", "./a", "a/". */
const hasNeedlessPart = /(?:^|\/)\.?(?:\/|$)/;
const withoutNeedlessParts = (path: string): string =>
  path
    .split("/")
    .filter((component) => component !== "" && component !== ".")
    .join("/");

const isDrive = (component: string): boolean => /^[A-Za-z]:/.test(component);

/** Names that Windows cannot hold: worth a warning, harmless elsewhere. */
export const isAwkwardOnWindows = (path: string): boolean =>
  /(?:^|\/)(?:con|prn|aux|nul|com\d|lpt\d)(?:\.[^/]*)?(?:$|\/)|[. ](?:$|\/)|[<>:"|?*]/i.test(path);

const alreadyFolded = /^[a-z0-9._/-]*$/;

/** Equal for two paths that some file system takes for one: case and Unicode form do not count. */
export function foldPath(path: string): string {
  if (alreadyFolded.test(path)) return path;
  if (ascii.test(path)) return path.toLowerCase();
  return path.normalize("NFD").toUpperCase().toLowerCase().normalize("NFC");
}
