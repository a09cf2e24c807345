import { foldPath, type PathFault } from "./entry-path.ts";

/** Every path of a package so far, to refuse two entries that are one file on some file system. */
export interface PathRegistry {
  /** `undefined`: the path is new, and so is no other's folder. */
  addFile(path: string): PathFault | undefined;
  addFolder(path: string): PathFault | undefined;
  /** Files and folders, folders that are only implied included. */
  count(): number;
}

interface Known {
  path: string;
  kind: "file" | "folder";
}

export function createPathRegistry(): PathRegistry {
  const known = new Map<string, Known>();
  let lastFolder = "";

  const add = (path: string, kind: Known["kind"]): PathFault | undefined => {
    const fold = foldPath(path);
    const other = known.get(fold);
    if (!other) {
      known.set(fold, { path, kind });
      return undefined;
    }
    if (other.path !== path) {
      return {
        rule: "collision",
        says: `and ${JSON.stringify(other.path)} are one path where case or Unicode form does not count`,
      };
    }
    if (other.kind !== kind) return { rule: "file-and-folder", says: "is a file and a folder" };
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
    count: () => known.size,
  };
}
