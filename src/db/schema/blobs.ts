import { index, integer, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import type { BlobKey } from "../../contract/index.ts";
import { bytesColumn, countColumn, now, timestampColumn } from "../columns.ts";

/** Which blobs there are, and in which store. A row is written after its bytes are durable and removed before they are. */
export const blobs = pgTable(
  "blobs",
  {
    key: text("key").$type<BlobKey>().primaryKey(),
    sizeBytes: countColumn("size_bytes").notNull(),
    /** As counted when it was admitted. */
    unpackedBytes: countColumn("unpacked_bytes"),
    files: integer("files"),
    store: text("store").notNull(),
    createdAt: timestampColumn("created_at").notNull().default(now),
    unreferencedSince: timestampColumn("unreferenced_since"),
    /** When an audit last read it whole. */
    verifiedAt: timestampColumn("verified_at"),
  },
  (table) => [index("blobs_store").on(table.store)],
);

/** Bytes in a store that no row of `blobs` names there: left by a migration, or by a crash before the row. */
export const strayBlobs = pgTable(
  "stray_blobs",
  {
    store: text("store").notNull(),
    key: text("key").$type<BlobKey>().notNull(),
    sizeBytes: countColumn("size_bytes").notNull(),
    since: timestampColumn("since").notNull().default(now),
  },
  (table) => [primaryKey({ columns: [table.store, table.key] })],
);

/** Copies that a read found damaged or absent although the index has them: never read again until good bytes were put in their place. */
export const blobQuarantine = pgTable(
  "blob_quarantine",
  {
    blobKey: text("blob_key").$type<BlobKey>().notNull(),
    store: text("store").notNull(),
    reason: text("reason").$type<"corrupt" | "missing">().notNull(),
    foundAt: timestampColumn("found_at").notNull().default(now),
  },
  (table) => [primaryKey({ columns: [table.blobKey, table.store] })],
);

/** The `postgres` blob driver: an upload's chunks, invisible until a row of `blob_contents` points at it. */
export const blobUploads = pgTable("blob_uploads", {
  id: uuid("id").primaryKey(),
  key: text("key").$type<BlobKey>().notNull(),
  createdAt: timestampColumn("created_at").notNull().default(now),
});

export const blobChunks = pgTable(
  "blob_chunks",
  {
    uploadId: uuid("upload_id")
      .notNull()
      .references(() => blobUploads.id, { onDelete: "cascade" }),
    position: integer("position").notNull(),
    bytes: bytesColumn("bytes").notNull(),
  },
  (table) => [primaryKey({ columns: [table.uploadId, table.position] })],
);

export const blobContents = pgTable("blob_contents", {
  key: text("key").$type<BlobKey>().primaryKey(),
  uploadId: uuid("upload_id")
    .notNull()
    .references(() => blobUploads.id),
  sizeBytes: countColumn("size_bytes").notNull(),
  /** Size of every chunk but the last. */
  chunkBytes: integer("chunk_bytes").notNull(),
});

/** The declarations cut from a blob: a copy that can be made again. */
export const packageTypes = pgTable(
  "package_types",
  {
    blobKey: text("blob_key")
      .$type<BlobKey>()
      .primaryKey()
      .references(() => blobs.key, { onDelete: "cascade" }),
    bundleKey: text("bundle_key").$type<BlobKey>().notNull(),
    content: bytesColumn("content").notNull(),
    outline: text("outline"),
    createdAt: timestampColumn("created_at").notNull().default(now),
  },
  (table) => [index("package_types_bundle_key").on(table.bundleKey)],
);
