export interface S3Options {
  bucket: string;
  /** Of a look-alike: `https://minio.example:9000`. Absent: AWS, by region. */
  endpoint?: string | undefined;
  /** Absent: what AWS's own variables and files say; `us-east-1` with an endpoint of one's own. */
  region?: string | undefined;
  /** Before every object's name: `larder/production`. */
  prefix?: string | undefined;
  /** `https://endpoint/bucket/…` instead of `https://bucket.endpoint/…`. Absent: with an endpoint of one's own. */
  pathStyle?: boolean | undefined;
  /** Asked for with every object written. `aws:kms` without a key uses the account's default key. */
  encryption?: { algorithm: "AES256" | "aws:kms"; keyId?: string | undefined } | undefined;
  /** Absent: AWS's own chain of variables, files and instance roles. */
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string | undefined } | undefined;
  /** Gives out links that last so long. Absent: gives out none. */
  linkSeconds?: number | undefined;
}

/** For errors and logs: never holds a secret. */
export const describeBucket = ({ bucket, endpoint }: Pick<S3Options, "bucket" | "endpoint">): string =>
  endpoint === undefined ? `the bucket ${bucket}` : `the bucket ${bucket} at ${originOf(endpoint)}`;

function originOf(endpoint: string): string {
  try {
    return new URL(endpoint).origin;
  } catch {
    return "its endpoint";
  }
}
