/** The most that one tarball may ask of whoever reads it. All counts are of what was decompressed, save `compressedBytes`. */
export interface ArchiveLimits {
  compressedBytes: number;
  /** The whole tar stream: headers, metadata, padding and content. */
  unpackedBytes: number;
  entryBytes: number;
  /** Headers of every kind, and the folders that paths imply. */
  entries: number;
  pathBytes: number;
  componentBytes: number;
  depth: number;
  /** Long names and PAX records before one entry. */
  metadataBytes: number;
  packageJsonBytes: number;
}

const mebibyte = 1024 * 1024;

export const defaultArchiveLimits: ArchiveLimits = {
  compressedBytes: 256 * mebibyte,
  unpackedBytes: 1024 * mebibyte,
  entryBytes: 512 * mebibyte,
  entries: 200_000,
  pathBytes: 1024,
  componentBytes: 255,
  depth: 64,
  metadataBytes: mebibyte,
  packageJsonBytes: 4 * mebibyte,
};
