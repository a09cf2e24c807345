import { type ErrorCode, LarderError } from "../../contract/index.ts";
import { errnoOf } from "../../lib/index.ts";
import { describeBucket, type S3Options } from "./s3-options.ts";

/** What the server said, without the request: that has signatures and ids of keys in it. */
export interface S3Failure {
  /** `NoSuchBucket`, `SlowDown`, …; of the network: `ECONNREFUSED`, `TimeoutError`. */
  code: string;
  status: number | undefined;
  /** Where the bucket is, when the server says that it is somewhere else. */
  region: string | undefined;
}

export function failureOf(thrown: unknown): S3Failure {
  const error = thrown as { name?: string; Code?: string; Region?: string } & Record<string, unknown>;
  const response = error.$response as { headers?: Record<string, string> } | undefined;
  const status = (error.$metadata as { httpStatusCode?: number } | undefined)?.httpStatusCode;
  return {
    code: error.Code ?? errnoOf(thrown) ?? error.name ?? "Error",
    status,
    region: error.Region ?? response?.headers?.["x-amz-bucket-region"],
  };
}

export const isAbsent = ({ code, status }: S3Failure): boolean =>
  code === "NoSuchKey" || (status === 404 && code !== "NoSuchBucket" && code !== "NoSuchUpload");

/** A HEAD's answer has no body to say why. */
export const isUnexplained = ({ status }: S3Failure): boolean =>
  status === 301 || status === 307 || status === 400 || status === 403;

const wrongKeys =
  /^(InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|ExpiredToken|ExpiredTokenException|TokenRefreshRequired|InvalidSecurity|NotSignedUp)$/;
const noKeys = /^(CredentialsProviderError|TokenProviderError|ProviderError)$/;
const elsewhere =
  /^(PermanentRedirect|TemporaryRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException|MovedPermanently)$/;
const full = /^(QuotaExceeded|XMinioStorageFull|StorageFull|InsufficientStorage|TooManyBuckets)$/;

/** An S3 server's error as ours, naming the bucket and the way out. What is ours already stays as it is. */
export function s3ErrorAt(options: S3Options, thrown: unknown): LarderError {
  if (thrown instanceof LarderError) return thrown;
  const failure = failureOf(thrown);
  const { code, status, region } = failure;
  const where = describeBucket(options);
  const error = (as: ErrorCode, says: string, hint: string, retryable = false) =>
    new LarderError(as, `${capitalised(where)} ${says}.`, {
      hint,
      retryable,
      details: { bucket: options.bucket, s3Code: code, ...(status === undefined ? {} : { status }) },
      cause: new Error(`S3: ${code}${status === undefined ? "" : ` (HTTP ${status})`}`),
    });
  if (code === "NoSuchBucket" || code === "InvalidBucketName") {
    return error("E_CONFIG", "does not exist", "Create it, or correct --s3-bucket and --s3-endpoint.");
  }
  if (noKeys.test(code)) {
    return error(
      "E_PERMISSION",
      "cannot be used: there are no credentials",
      "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or LARDER_S3_ACCESS_KEY_ID and LARDER_S3_SECRET_ACCESS_KEY), or run where a role gives them.",
    );
  }
  if (wrongKeys.test(code)) {
    return error(
      "E_PERMISSION",
      `refuses the credentials (${code})`,
      "Correct the access key and the secret key, or renew them.",
    );
  }
  if (code === "RequestTimeTooSkewed" || code === "RequestExpired") {
    return error(
      "E_STORE_UNAVAILABLE",
      `refuses requests because this machine's clock is wrong (${code})`,
      "Set the clock, by NTP best.",
      true,
    );
  }
  if (elsewhere.test(code) || (region !== undefined && (status === 301 || status === 400))) {
    const hint = region === undefined ? "Correct --s3-region." : `Set --s3-region ${region}.`;
    return error("E_CONFIG", `is in ${region === undefined ? "another region" : `the region ${region}`}`, hint);
  }
  if (/^(KMS|Kms)/.test(code) || code.includes("KMS")) {
    return error(
      "E_PERMISSION",
      `cannot use its encryption key (${code})`,
      "Correct --s3-sse, and let the credentials use that key.",
    );
  }
  if (full.test(code) || status === 507)
    return error("E_NO_SPACE", "is full", "Make room there, or move the store with `larder storage migrate`.");
  if (status === 403 || status === 401 || code === "AccessDenied" || code === "AllAccessDisabled") {
    return error("E_PERMISSION", `does not let these credentials do that (${code})`, "Give them the policy in docs/storage.md.");
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return error(
      "E_STORE_UNAVAILABLE",
      "cannot be found: its host name has no address",
      "Correct --s3-endpoint or --s3-region, or mend the name server.",
      true,
    );
  }
  if (/region is missing/i.test((thrown as Error)?.message ?? ""))
    return error("E_CONFIG", "has no region", "Set --s3-region, or AWS_REGION.");
  return error(
    "E_STORE_UNAVAILABLE",
    `does not answer as it should (${code})`,
    "Check that it can be reached from here; Larder goes on by itself when it can.",
    true,
  );
}

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
