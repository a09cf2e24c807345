import {
  type BlobKey,
  blobKeyOf,
  type CapFinding,
  type Caps,
  capNames,
  LarderError,
  type Manifest,
  type ManifestNode,
  type NodeId,
  nodeOf,
  type Platform,
  viewForPlatform,
} from "../../contract/index.ts";

/** What is known of a tarball that was here before. */
export interface KnownSize {
  sizeBytes: number;
  unpackedBytes?: number;
  files?: number;
}

/** What an environment comes to. */
export interface Amounts {
  packedBytes: number;
  unpackedBytes: number;
  files: number;
  nodes: number;
  /** Some packed sizes are guesses, see `estimatePacked`. */
  packedIsEstimate: boolean;
  /** The part of `packedBytes` that is no guess. */
  knownPackedBytes: number;
  /** The largest, by unpacked bytes. */
  largest: string | undefined;
}

/** No registry declares packed sizes. Four hundred real tarballs unpacked to 4.4 times their size together. */
const unpackedPerPacked = 4.4;
export const estimatePacked = ({ unpackedBytes }: Pick<ManifestNode, "unpackedBytes">): number =>
  Math.round((unpackedBytes ?? 0) / unpackedPerPacked);

/** Each tarball that the wanted platforms need once, with a node that has it. */
export function wantedBlobs(manifest: Manifest, platforms: readonly Platform[]): Map<BlobKey, ManifestNode> {
  const wanted = new Map<BlobKey, ManifestNode>();
  for (const platform of platforms) {
    for (const id of viewForPlatform(manifest, platform).nodes as Set<NodeId>) {
      const node = nodeOf(manifest, id);
      wanted.set(blobKeyOf(node.integrity), node);
    }
  }
  return wanted;
}

/** Real sizes where they are known, declared ones elsewhere. Pure. */
export function measure(
  manifest: Manifest,
  wanted: ReadonlyMap<BlobKey, ManifestNode>,
  known: ReadonlyMap<BlobKey, KnownSize>,
): Amounts {
  const amounts: Amounts = {
    packedBytes: 0,
    unpackedBytes: 0,
    files: 0,
    nodes: Object.keys(manifest.nodes).length,
    packedIsEstimate: false,
    knownPackedBytes: 0,
    largest: undefined,
  };
  let most = -1;
  for (const [key, node] of wanted) {
    const real = known.get(key);
    const unpacked = real?.unpackedBytes ?? node.unpackedBytes ?? 0;
    amounts.packedBytes += real?.sizeBytes ?? estimatePacked(node);
    amounts.knownPackedBytes += real?.sizeBytes ?? 0;
    amounts.unpackedBytes += unpacked;
    amounts.files += real?.files ?? node.fileCount ?? 0;
    amounts.packedIsEstimate ||= real === undefined;
    if (unpacked <= most) continue;
    most = unpacked;
    amounts.largest = `${node.name}@${node.version}`;
  }
  return amounts;
}

const says: Record<keyof Caps, (amount: string, limit: string) => string> = {
  packedBytes: (amount, limit) => `The allowlist takes ${amount} of tarballs; the limit is ${limit}.`,
  unpackedBytes: (amount, limit) => `The allowlist unpacks to ${amount}; the limit is ${limit}.`,
  files: (amount, limit) => `The allowlist holds ${amount} files; the limit is ${limit}.`,
  nodes: (amount, limit) => `The allowlist resolves to ${amount} packages; the limit is ${limit}.`,
};

/** What is over a limit, at most one finding per cap. A guess never blocks: what is not known yet is judged again when it is. Pure. */
export function judgeCaps(caps: Caps, amounts: Amounts): CapFinding[] {
  return capNames.flatMap((cap): CapFinding[] => {
    const { warn, block } = caps[cap];
    const actual = amounts[cap];
    const certain = cap === "packedBytes" ? amounts.knownPackedBytes : actual;
    const severity = block !== null && certain > block ? "block" : warn !== null && actual > warn ? "warn" : undefined;
    const limit = severity === "block" ? block : warn;
    if (severity === undefined || limit === null) return [];
    const isBytes = cap === "packedBytes" || cap === "unpackedBytes";
    const word = (n: number) => (isBytes ? formatSize(n) : `${n}`);
    const about = cap === "packedBytes" && severity === "warn" && amounts.packedIsEstimate ? "about " : "";
    const largest = amounts.largest === undefined || cap === "nodes" ? "" : ` The largest is ${amounts.largest}.`;
    return [
      {
        cap,
        severity,
        actual,
        limit,
        message: says[cap](about + word(severity === "block" ? certain : actual), word(limit)),
        hint: `Disable what nobody needs, split it into several environments, or raise the limit: larder policy set --${severity}-${flagOf(cap)} …${largest}`,
      },
    ];
  });
}

/** Decimal, three digits: `1.23 GB`. */
function formatSize(bytes: number): string {
  const power = Math.min(4, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${["B", "kB", "MB", "GB", "TB"][power]}`;
}

const flagOf = (cap: keyof Caps): string =>
  ({ packedBytes: "packed", unpackedBytes: "unpacked", files: "files", nodes: "nodes" })[cap];

/** Throws `E_TOO_LARGE` for the first that blocks. */
export function assertCaps(findings: readonly CapFinding[]): void {
  const blocking = findings.find(({ severity }) => severity === "block");
  if (blocking) throw capError(blocking);
}

export const capError = ({ cap, actual, limit, message, hint }: CapFinding): LarderError =>
  new LarderError("E_TOO_LARGE", message, { hint, details: { cap, actual, limit } });
