import type { ArchiveLimits } from "./archive-limits.ts";
import type { ArchiveSink } from "./archive-sink.ts";
import { isAwkwardOnWindows } from "./entry-path.ts";
import { type PackageJson, parsePackageJson } from "./package-json.ts";
import type { Refusals } from "./refusal.ts";
import { createTarParser } from "./tar-parser.ts";

export interface PackageSummary {
  unpackedBytes: number;
  files: number;
  packageJson: PackageJson;
  awkwardPaths: string[];
}

/** Takes an inflated tarball, passes its files on, and keeps what `package.json` says. */
export interface PackageReader {
  write(chunk: Uint8Array): void;
  end(): PackageSummary;
}

const maxAwkwardPaths = 20;

export function createPackageReader(sink: ArchiveSink, limits: ArchiveLimits, refuse: Refusals): PackageReader {
  let streamBytes = 0;
  let unpackedBytes = 0;
  let files = 0;
  let capturing = false;
  let captured: Buffer[] | undefined;
  const awkwardPaths: string[] = [];

  const parser = createTarParser(
    {
      beginFile(file) {
        files += 1;
        unpackedBytes += file.sizeBytes;
        capturing = file.path === "package.json";
        if (capturing && file.sizeBytes > limits.packageJsonBytes) {
          throw refuse.tooLarge("its package.json has more bytes", {
            bytes: file.sizeBytes,
            limit: limits.packageJsonBytes,
            entry: file.path,
          });
        }
        if (capturing) captured = [];
        if (awkwardPaths.length < maxAwkwardPaths && isAwkwardOnWindows(file.path)) awkwardPaths.push(file.path);
        sink.beginFile(file);
      },
      data(chunk) {
        if (capturing) captured?.push(Buffer.from(chunk));
        sink.data(chunk);
      },
      endFile: () => sink.endFile(),
    },
    limits,
    refuse,
  );

  return {
    write(chunk) {
      streamBytes += chunk.length;
      if (streamBytes > limits.unpackedBytes) {
        throw refuse.tooLarge("it has more unpacked bytes", { bytes: streamBytes, limit: limits.unpackedBytes });
      }
      parser.write(chunk);
    },
    end() {
      parser.end();
      if (!captured) throw refuse.archive("package-json", "package.json", "is missing");
      const parsed = parsePackageJson(Buffer.concat(captured));
      if ("fault" in parsed) throw refuse.archive("package-json", "package.json", parsed.fault);
      return { unpackedBytes, files, packageJson: parsed.packageJson, awkwardPaths };
    },
  };
}
