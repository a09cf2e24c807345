import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { type BlobKey, type TypesBundle, typesBundleSchema } from "../contract/index.ts";
import { cutLimits } from "./cut-types.ts";

/** A bundle as it is kept and sent. */
export interface PackedBundle {
  /** SHA-512 of the JSON. */
  key: BlobKey;
  /** The JSON, gzipped. */
  content: Uint8Array;
}

export async function packBundle(bundle: TypesBundle): Promise<PackedBundle> {
  const json = Buffer.from(JSON.stringify(bundle));
  return { key: keyOf(json), content: await promisify(gzip)(json, { level: 6 }) };
}

/** Its JSON; `undefined` when the bytes are not those that the key is of. */
export async function unpackBundle({ key, content }: PackedBundle): Promise<Uint8Array | undefined> {
  try {
    // JSON writes a control character with six.
    const json = await promisify(gunzip)(content, { maxOutputLength: 6 * cutLimits.bytes });
    return keyOf(json) === key ? json : undefined;
  } catch {
    // Not gzip: as damaged as other bytes.
    return undefined;
  }
}

export const parseBundle = (json: Uint8Array): TypesBundle => typesBundleSchema.parse(JSON.parse(Buffer.from(json).toString()));

const keyOf = (json: Uint8Array): BlobKey => createHash("sha512").update(json).digest("hex") as BlobKey;
