import { LarderError, type Manifest, type ManifestNode } from "../../contract/index.ts";

/** What one environment may come to, by what the registry declares: stops a runaway closure before a byte of it is fetched. */
export const declaredCaps = { nodes: 20_000, unpackedBytes: 8 * 2 ** 30 };

/** Throws `E_TOO_LARGE`, naming the largest package. */
export function assertDeclaredCaps(manifest: Manifest, caps = declaredCaps): void {
  const nodes = Object.values(manifest.nodes) as ManifestNode[];
  if (nodes.length > caps.nodes) {
    throw new LarderError("E_TOO_LARGE", `The allowlist resolves to ${nodes.length} packages; the limit is ${caps.nodes}.`, {
      hint: "Disable what nobody needs, or split it into several environments.",
      details: { nodes: nodes.length, limit: caps.nodes },
    });
  }
  const bytes = nodes.reduce((sum, node) => sum + (node.unpackedBytes ?? 0), 0);
  if (bytes <= caps.unpackedBytes) return;
  const largest = nodes.reduce((a, b) => ((a.unpackedBytes ?? 0) >= (b.unpackedBytes ?? 0) ? a : b));
  throw new LarderError("E_TOO_LARGE", `The allowlist unpacks to ${bytes} bytes; the limit is ${caps.unpackedBytes}.`, {
    hint: `The largest is ${largest.name}@${largest.version} with ${largest.unpackedBytes} bytes. Disable what nobody needs.`,
    details: { bytes, limit: caps.unpackedBytes },
  });
}
