import { z } from "zod";
import { parsedBy } from "./parsed-by.ts";
import { parseBoolean, parseDuration, parseHttpUrl } from "./setting-values.ts";

/** Where the `s3` blob store is. There is one as soon as there is a bucket. */
export const s3SettingsShape = {
  s3Bucket: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "is not a bucket's name")
    .optional(),
  s3Endpoint: parsedBy(parseEndpoint).optional(),
  s3Region: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/, "is not a region")
    .optional(),
  s3Prefix: z
    .string()
    .regex(/^[\w.-]+(\/[\w.-]+)*\/?$/, "is not a prefix such as larder/production")
    .optional(),
  s3PathStyle: parsedBy(parseBoolean).optional(),
  s3Sse: parsedBy(parseEncryption).optional(),
  s3Presign: parsedBy(parseLinkSeconds).optional(),
  s3AccessKeyId: z.string().min(1).optional(),
  s3SecretAccessKey: z.string().min(1).optional(),
  s3SessionToken: z.string().min(1).optional(),
};

function parseEndpoint(text: string): string {
  const url = parseHttpUrl(text);
  if (url.username === "" && url.password === "") return url.href.replace(/\/$/, "");
  throw new Error("an address with credentials in it");
}

/** `aws:kms:KEY`, where the key may be an ARN with colons of its own. */
function parseEncryption(text: string): { algorithm: "AES256" | "aws:kms"; keyId?: string | undefined } {
  const match = /^(?:(AES256)|(aws:kms)(?::(\S+))?)$/.exec(text);
  if (match?.[1]) return { algorithm: "AES256" };
  if (match) return { algorithm: "aws:kms", keyId: match[3] };
  throw new Error("none of AES256, aws:kms and aws:kms:KEY");
}

/** AWS refuses links for longer than a week. */
function parseLinkSeconds(text: string): number {
  const seconds = Math.floor(parseDuration(text) / 1000);
  if (seconds >= 1 && seconds <= 7 * 86_400) return seconds;
  throw new Error("not a time between 1s and 168h");
}
