import { sql } from "drizzle-orm";
import { boolean, integer, jsonb, pgTable, text, uniqueIndex } from "drizzle-orm/pg-core";
import type { SignedHandover } from "../../contract/index.ts";
import { now, timestampColumn } from "../columns.ts";

export const signingKeys = pgTable(
  "signing_keys",
  {
    keyId: text("key_id").primaryKey(),
    publicKey: text("public_key").notNull(),
    /** Encrypted by the caller: the database never sees the private half. None when the key is retired. */
    sealedPrivateKey: text("sealed_private_key"),
    createdAt: timestampColumn("created_at").notNull().default(now),
    active: boolean("active").notNull(),
  },
  (table) => [uniqueIndex("signing_keys_one_active").on(table.active).where(sql`active`)],
);

export const keyHandovers = pgTable("key_handovers", {
  sequence: integer("sequence").primaryKey(),
  toKeyId: text("to_key_id")
    .notNull()
    .unique()
    .references(() => signingKeys.keyId),
  document: jsonb("document").$type<SignedHandover>().notNull(),
});
