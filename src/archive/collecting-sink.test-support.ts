import type { ArchiveSink } from "./archive-sink.ts";

export interface CollectedFile {
  content: string;
  executable: boolean;
}

/** Keeps every file's content; latin1, so that any bytes compare. */
export function collectingSink(): ArchiveSink & { files: Map<string, CollectedFile> } {
  const files = new Map<string, CollectedFile>();
  let path = "";
  let executable = false;
  let chunks: Buffer[] = [];
  return {
    files,
    beginFile(file) {
      ({ path, executable } = file);
      chunks = [];
    },
    data: (chunk) => chunks.push(Buffer.from(chunk)),
    endFile: () => files.set(path, { content: Buffer.concat(chunks).toString("latin1"), executable }),
  };
}
