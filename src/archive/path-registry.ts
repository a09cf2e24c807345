import { foldPath, type PathFault } from "./entry-path.ts";
import { createTextTable } from "./text-table.ts";

/** Every path of a package so far, to refuse two entries that are one file on some file system. */
export interface PathRegistry {
  /** `undefined`: the path is new, and so is no other's folder. */
  addFile(path: string): PathFault | undefined;
  addFolder(path: string): PathFault | undefined;
  /** Files and folders, folders that are only implied included. */
  count(): number;
}

const kinds = { file: 1, folder: 2 } as const;
type Kind = keyof typeof kinds;

export function createPathRegistry(): PathRegistry {
  // By folded path. The path itself is kept only where it differs: a package may have 200,000.
  const known = createTextTable();
  const written = new Map<string, string>();
  let lastFolder = "";

  const add = (path: string, kind: Kind): PathFault | undefined => {
    const fold = foldPath(path);
    const other = known.get(fold);
    if (other === undefined) {
      known.add(fold, kinds[kind]);
      if (fold !== path) written.set(fold, path);
      return undefined;
    }
    const otherPath = written.get(fold) ?? fold;
    if (otherPath !== path) {
      return {
        rule: "collision",
        says: `and ${JSON.stringify(otherPath)} are one path where case or Unicode form does not count`,
      };
    }
    if (other !== kinds[kind]) return { rule: "file-and-folder", says: "is a file and a folder" };
    return kind === "folder" ? undefined : { rule: "duplicate", says: "occurs twice" };
  };

  const addFolder = (path: string): PathFault | undefined => {
    if (path === lastFolder || path === "") return undefined;
    for (let slash = path.indexOf("/"); slash > 0; slash = path.indexOf("/", slash + 1)) {
      const fault = add(path.slice(0, slash), "folder");
      if (fault) return fault;
    }
    const fault = add(path, "folder");
    if (!fault) lastFolder = path;
    return fault;
  };

  return {
    addFile: (path) => addFolder(path.slice(0, Math.max(0, path.lastIndexOf("/")))) ?? add(path, "file"),
    addFolder,
    count: () => known.size(),
  };
}
