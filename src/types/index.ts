// What packages' type declarations say: cut from a tarball as it is read, outlined by a parser in a process of its own, and resolved over a locked graph as
// TypeScript would resolve them.
// Invariants: nothing outside a package is reached from within it but by an edge of the graph or by the allowlist; whatever an author wrote, there is an answer
// within limits; no package code runs.
// Left to others: where bundles and outlines are kept (db), who may ask (server).

export { type PackedBundle, packBundle, parseBundle, unpackBundle } from "./bundle.ts";
export { type CollectedTypes, type CollectOptions, collectTypes, type LoadedTypes } from "./collect-types.ts";
export type { CollectionLimits } from "./collection.ts";
export { createTypesCutter, type TypesCutter } from "./cut-types.ts";
export { createLayout, type Layout } from "./layout.ts";
export { formatOutline, outlineBundle, type PackageOutline, parseOutline, type ReadReferences } from "./outline.ts";
export { openParserProcess, type ParserProcess } from "./parser-process.ts";
