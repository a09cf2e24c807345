export interface ArchiveFile {
  /** Below the package's root folder, '/'-separated; checked: relative, no `..`, no collision with an earlier one. */
  path: string;
  sizeBytes: number;
  /** Any x bit was set. The only thing of a mode that counts. */
  executable: boolean;
}

/** Takes a package's files one after the other. Synchronous on purpose: the reader pushes, nothing queues. Chunks are valid during the call only. */
export interface ArchiveSink {
  beginFile(file: ArchiveFile): void;
  data(chunk: Uint8Array): void;
  endFile(): void;
}
