import { readdir } from "node:fs/promises";
import { extname, join } from "node:path";

/** One file of the built console, and how it was compressed besides. */
export interface ConsoleFile {
  path: string;
  type: string;
  encodings: string[];
}

const types: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ttf": "font/ttf",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
};
const endings: Record<string, string> = { br: ".br", gzip: ".gz" };

/** Everything that the folder holds, by the path below the server's root. Only these can ever be served. */
export async function listConsoleFiles(folder: string): Promise<ReadonlyMap<string, ConsoleFile>> {
  const names = new Set(
    (await readdir(folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length)),
  );
  const files = new Map<string, ConsoleFile>();
  for (const name of names) {
    const type = types[extname(name)];
    if (type === undefined) continue;
    const encodings = Object.keys(endings).filter((encoding) => names.has(`${name}${endings[encoding]}`));
    files.set(name, { path: join(folder, name), type, encodings });
  }
  return files;
}

/** The smallest form that the browser takes. */
export function chooseEncoding(file: ConsoleFile, accepted: string): { path: string; encoding?: string } {
  const words = accepted.split(",").map((word) => word.trim());
  const encoding = file.encodings.find((name) => words.some((word) => word === name || word.startsWith(`${name};`)));
  return encoding === undefined ? file : { path: `${file.path}${endings[encoding]}`, encoding };
}
