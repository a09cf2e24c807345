import type { ArchiveSink } from "../archive/index.ts";
import { type TypesBundle, typesFormat } from "../contract/index.ts";

/** What one package's declarations may come to. Far above any real package; what is beyond is left out. */
export const cutLimits = { files: 50_000, fileBytes: 8 << 20, bytes: 64 << 20 };

export interface TypesCutter {
  /** For `readTarball`. */
  sink: ArchiveSink;
  /** After the tarball's end. */
  finish(): TypesBundle;
}

/** Takes declarations and `package.json` files out of a tarball as it is read, and never fails: a package is admitted whatever its declarations are like. */
export function createTypesCutter(limits = cutLimits): TypesCutter {
  const files = new Map<string, number>();
  const texts = new Map<string, number>();
  let bytes = 0;
  let truncated = false;
  let current: { path: string; chunks: Buffer[] } | undefined;
  return {
    sink: {
      beginFile({ path, sizeBytes }) {
        if (!isTypesFile(path)) return;
        const fits = sizeBytes <= limits.fileBytes && bytes + sizeBytes <= limits.bytes && files.size < limits.files;
        truncated ||= !fits;
        if (!fits) return;
        bytes += sizeBytes;
        current = { path, chunks: [] };
      },
      data(chunk) {
        current?.chunks.push(Buffer.from(chunk));
      },
      endFile() {
        if (current === undefined) return;
        const text = decodeText(Buffer.concat(current.chunks));
        const known = texts.get(text);
        const place = known ?? texts.size;
        if (known === undefined) texts.set(text, place);
        files.set(current.path, place);
        current = undefined;
      },
    },
    finish: () => ({
      format: typesFormat,
      files: Object.fromEntries(files),
      texts: [...texts.keys()],
      ...(truncated ? { truncated: true as const } : {}),
    }),
  };
}

/** `.d.ts`, `.d.mts`, `.d.cts`, those of other files (`style.d.css.ts`), and `package.json` at any depth. */
export const isTypesFile = (path: string): boolean => isDeclaration(path) || isPackageJson(path);

export const isDeclaration = (path: string): boolean => /\.d\.(?:[cm]?ts|[^/.]+\.ts)$/.test(path);

export const isPackageJson = (path: string): boolean => path === "package.json" || path.endsWith("/package.json");

/** As TypeScript reads files: UTF-8, or UTF-16 behind its mark. */
function decodeText(bytes: Uint8Array): string {
  const utf16 = bytes[0] === 0xff && bytes[1] === 0xfe;
  return new TextDecoder(utf16 ? "utf-16le" : "utf-8").decode(bytes);
}
