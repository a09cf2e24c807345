import { z } from "zod";
import { parseBoolean, parseDuration, parsedBy, parseHttpUrl } from "./setting-values.ts";

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

export const s3SettingDescriptions = {
  s3Bucket: { flag: "s3-bucket", argument: "BUCKET", description: "bucket of the s3 blob store; it has to be there already" },
  s3Endpoint: { flag: "s3-endpoint", argument: "URL", description: "address of an S3 server that is not AWS" },
  s3Region: { flag: "s3-region", argument: "REGION", description: "the bucket's region; absent: as AWS_REGION says" },
  s3Prefix: { flag: "s3-prefix", argument: "PREFIX", description: "before every object's name, e.g. larder/production" },
  s3PathStyle: {
    flag: "s3-path-style",
    description: "name the bucket in the path instead of the host name; absent: with --s3-endpoint",
  },
  s3Sse: {
    flag: "s3-sse",
    argument: "HOW",
    description: "server-side encryption to ask for: AES256, aws:kms or aws:kms:KEY",
  },
  s3Presign: {
    flag: "s3-presign",
    argument: "TIME",
    description: "let hosts fetch straight from the bucket, by links that last so long; absent: through the server",
  },
  s3AccessKeyId: {
    flag: "s3-access-key-id",
    argument: "ID",
    description: "absent: credentials as AWS's own variables, files and roles say",
  },
  s3SecretAccessKey: {
    flag: "s3-secret-access-key",
    argument: "KEY",
    description: "better in LARDER_S3_SECRET_ACCESS_KEY than here",
    secret: true,
  },
  s3SessionToken: { flag: "s3-session-token", argument: "TOKEN", description: "of temporary credentials", secret: true },
} as const;

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
