import type { Thrown } from "./child-main.ts";

/** A module that was asked for and not found. */
export interface MissingModule {
  specifier: string;
  /** Absolute path of the importing file; `undefined` when the runtime does not say. */
  referrer: string | undefined;
  fenced: string | undefined;
}

type Message = Pick<Thrown, "message" | "specifier" | "referrer" | "fenced">;

/** What Bun's and Node's ways of saying so have in common; `undefined` for any other failure. Pure. */
export function missingModule(thrown: Thrown): MissingModule | undefined {
  const { fenced, specifier, referrer } = thrown;
  if (fenced !== undefined) return { specifier: specifier ?? fenced, referrer, fenced };
  const found = fromNode(thrown) ?? fromBun(thrown);
  return found && { ...found, fenced };
}

type Found = Pick<MissingModule, "specifier" | "referrer">;

function fromBun({ name, code, message, specifier, referrer }: Thrown): Found | undefined {
  if (name === "ResolveMessage" || code === "MODULE_NOT_FOUND" || code === "ERR_MODULE_NOT_FOUND") {
    const named = specifier ?? /^Cannot find (?:package|module) ['"]([^'"]*)['"]/.exec(message)?.[1];
    // For an unknown `node:` module Bun gives the word "undefined" as referrer.
    if (named !== undefined) return { specifier: named, referrer: referrer?.startsWith("/") ? referrer : undefined };
  }
  const address = /^ENOENT reading "(https?:[^"]+)"/.exec(message)?.[1];
  return name === "BuildMessage" && address !== undefined ? { specifier: address, referrer } : undefined;
}

/** Keyed by the codes of Node's resolvers. */
const nodePatterns: Record<string, (message: string) => Found | undefined> = {
  MODULE_NOT_FOUND(message) {
    const [, specifier] = /^Cannot find module '([^']*)'\nRequire stack:/.exec(message) ?? [];
    return specifier === undefined ? undefined : { specifier: inPackage(specifier), referrer: /^- (.*)$/m.exec(message)?.[1] };
  },
  ERR_MODULE_NOT_FOUND(message) {
    const [, specifier, referrer] = /^Cannot find (?:package|module) '([^']*)' imported from (.*)/.exec(message) ?? [];
    return specifier === undefined ? undefined : { specifier: inPackage(specifier), referrer };
  },
  ERR_PACKAGE_PATH_NOT_EXPORTED(message) {
    const [, subpath, folder = ""] =
      /^Package subpath '\.\/([^']*)' is not defined by "exports" in (.*)package\.json/.exec(message) ?? [];
    const [, whole = ""] = /^No "exports" main defined in (.*)package\.json/.exec(message) ?? [];
    const name = inPackage(`${folder || whole}x`).replace(/\/x$/, "");
    return { specifier: subpath === undefined ? name : `${name}/${subpath}`, referrer: importedFrom(message) };
  },
  ERR_UNSUPPORTED_DIR_IMPORT(message) {
    const [, path = "", referrer] =
      /^Directory import '([^']*)' is not supported resolving ES modules imported from (.*)$/m.exec(message) ?? [];
    return { specifier: inPackage(path), referrer };
  },
  ERR_UNKNOWN_BUILTIN_MODULE: (message) => ({ specifier: /: (node:\S*)/.exec(message)?.[1] ?? "node:", referrer: undefined }),
  ERR_PACKAGE_IMPORT_NOT_DEFINED: (message) => ({
    specifier: /^Package import specifier "([^"]*)"/.exec(message)?.[1] ?? "#",
    referrer: importedFrom(message),
  }),
  ERR_UNSUPPORTED_ESM_URL_SCHEME: (message) => ({
    specifier: `${/Received protocol '([^']*)'/.exec(message)?.[1] ?? "https:"}//`,
    referrer: undefined,
  }),
};

function fromNode({ code = "", message, specifier }: Message & Pick<Thrown, "code">): Found | undefined {
  // Bun uses some of the same codes, and says more beside them.
  return specifier === undefined ? nodePatterns[code]?.(message) : undefined;
}

const importedFrom = (message: string): string | undefined => / imported from (.*)$/m.exec(message)?.[1];

/** The path of a file in a package as an import says it; anything else as it is. */
const inPackage = (path: string): string =>
  path.startsWith("/") ? (/^.*\/node_modules\/((?:@[^/]+\/)?[^/]+\/.*)$/.exec(path)?.[1] ?? path) : path;
