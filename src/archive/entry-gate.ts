import type { ArchiveLimits } from "./archive-limits.ts";
import type { ArchiveFile } from "./archive-sink.ts";
import { decodePath, parseEntryPath } from "./entry-path.ts";
import { createPathRegistry } from "./path-registry.ts";
import type { Refusals } from "./refusal.ts";
import type { TarHeader } from "./tar-header.ts";

/** Decides, entry by entry, what of an archive is a file of the package. */
export interface EntryGate {
  /** `undefined`: a folder, which needs no entry of its own. Throws for everything that is neither a file nor a folder, or is out of place. */
  admit(header: TarHeader): ArchiveFile | undefined;
  assertCount(headers: number): void;
}

const linkTypes = "12";

export function createEntryGate(limits: ArchiveLimits, refuse: Refusals): EntryGate {
  const registry = createPathRegistry();
  let commonRoot: string | undefined;

  const assertCount = (headers: number): void => {
    const count = Math.max(headers, registry.count());
    if (count > limits.entries) throw refuse.tooLarge("it has more entries", { bytes: count, limit: limits.entries });
  };

  return {
    assertCount,
    admit(header) {
      const { rawPath, type, sizeBytes, executable } = header;
      const name = decodePath(rawPath);
      if (name === undefined) throw refuse.archive("path-encoding", rawPath, "has a name that is not UTF-8");
      const target = parseEntryPath(name, limits);
      if ("rule" in target) throw refuse.archive(target.rule, name, target.says);
      if (linkTypes.includes(type)) throw refuse.archive("link", name, type === "1" ? "is a hard link" : "is a symbolic link");
      if (type === "S") throw refuse.archive("sparse", name, "is a sparse file");
      if (type !== "0" && type !== "5") {
        throw refuse.archive("type", name, `is neither a file nor a folder (type ${JSON.stringify(type)})`);
      }
      if (type === "5" || target.isFolder) {
        if (sizeBytes !== 0) throw refuse.archive("size", name, "is a folder with content");
        const fault = registry.addFolder(target.place);
        if (fault) throw refuse.archive(fault.rule, name, fault.says);
        assertCount(0);
        return undefined;
      }
      if (target.path === "") throw refuse.archive("root", name, "is a file outside the package's folder");
      commonRoot ??= target.root;
      if (target.root !== commonRoot)
        throw refuse.archive("root", name, `is not in the package's folder ${JSON.stringify(commonRoot)}`);
      if (sizeBytes > limits.entryBytes) {
        throw refuse.tooLarge("it has a file of more bytes", { bytes: sizeBytes, limit: limits.entryBytes, entry: name });
      }
      const fault = registry.addFile(target.place);
      if (fault) throw refuse.archive(fault.rule, name, fault.says);
      assertCount(0);
      return { path: target.path, sizeBytes, executable };
    },
  };
}
