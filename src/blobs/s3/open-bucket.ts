import { createHash } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { failureOf, isAbsent, isUnexplained, s3ErrorAt } from "./s3-errors.ts";
import type { S3Options } from "./s3-options.ts";

const attempts = 5;
const connectMs = 5000;
const silenceMs = 30_000;
const sockets = 64;
const bucketSeenMs = 5000;

/** Objects by name, in our own words. Every method throws `LarderError`, or the signal's reason. Throttling, 5xx and lost connections were tried again. */
export interface Bucket {
  /** Throws what is wrong with the bucket or the credentials. */
  probe(signal?: AbortSignal): Promise<void>;
  put(
    name: string,
    bytes: Buffer,
    options: { ifAbsent: boolean; signal?: AbortSignal | undefined },
  ): Promise<"stored" | "exists" | "contended">;
  /** Nothing is there before `finish`. */
  startUpload(name: string, signal?: AbortSignal): Promise<Upload>;
  head(name: string, signal?: AbortSignal): Promise<{ sizeBytes: number } | undefined>;
  /** From `start` to the end, as one answer brings it; `undefined`: absent. */
  read(name: string, range: { start: number; end: number }, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined>;
  delete(name: string): Promise<void>;
  /** Ascending, those that begin with `prefix` and are after `after`. */
  page(options: {
    prefix: string;
    after: string | undefined;
    signal?: AbortSignal | undefined;
  }): Promise<{ objects: { name: string; sizeBytes: number }[]; more: boolean }>;
  /** Gives up what others began more than `ageMs` ago and did not finish. */
  sweepUploads(prefix: string, ageMs: number): Promise<void>;
  link(name: string, seconds: number): Promise<string>;
  close(): void;
}

export interface Upload {
  put(number: number, bytes: Buffer): Promise<void>;
  finish(): Promise<void>;
  abandon(): Promise<void>;
}

export function openBucket(options: S3Options): Bucket {
  const client = createClient(options);
  const Bucket = options.bucket;
  /** Until a server says that it does not know `If-None-Match`. */
  let conditional = true;
  const guarded = async <T>(task: Promise<T>, signal?: AbortSignal): Promise<T> => {
    try {
      return await task;
    } catch (error) {
      signal?.throwIfAborted();
      throw s3ErrorAt(options, error);
    }
  };
  const abortable = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { abortSignal: signal });
  const encryption = encryptionHeaders(options);

  let seenAt = Number.NEGATIVE_INFINITY;
  /** A HEAD's 404 may as well mean that the bucket is gone, which is not the same as one without blobs. */
  const assertThere = async (signal: AbortSignal | undefined): Promise<void> => {
    if (performance.now() - seenAt < bucketSeenMs) return;
    await bucket.probe(signal);
    seenAt = performance.now();
  };

  const bucket: Bucket = {
    async probe(signal) {
      const probing = client.send(
        new ListObjectsV2Command({ Bucket, Prefix: options.prefix ?? "", MaxKeys: 1 }),
        abortable(signal),
      );
      await guarded(probing, signal);
    },
    async put(name, bytes, { ifAbsent, signal }) {
      const asked = ifAbsent && conditional;
      const request = { Bucket, Key: name, Body: bytes, ContentLength: bytes.byteLength, ContentMD5: md5(bytes), ...encryption };
      try {
        await client.send(new PutObjectCommand({ ...request, ...(asked ? { IfNoneMatch: "*" } : {}) }), abortable(signal));
        return "stored";
      } catch (error) {
        signal?.throwIfAborted();
        const failure = failureOf(error);
        if (asked && failure.status === 412) return "exists";
        if (asked && failure.status === 409) return "contended";
        if (asked && (failure.status === 501 || failure.code === "NotImplemented" || failure.code === "InvalidArgument")) {
          conditional = false;
          return await bucket.put(name, bytes, { ifAbsent: false, signal });
        }
        throw s3ErrorAt(options, error);
      }
    },
    async startUpload(name, signal) {
      const starting = client.send(new CreateMultipartUploadCommand({ Bucket, Key: name, ...encryption }), abortable(signal));
      const { UploadId } = await guarded(starting, signal);
      const upload = { Bucket, Key: name, UploadId };
      const parts: { ETag: string | undefined; PartNumber: number }[] = [];
      return {
        async put(PartNumber, bytes) {
          const part = { ...upload, PartNumber, Body: bytes, ContentLength: bytes.byteLength, ContentMD5: md5(bytes) };
          const { ETag } = await guarded(client.send(new UploadPartCommand(part), abortable(signal)), signal);
          parts.push({ ETag, PartNumber });
        },
        async finish() {
          const whole = { ...upload, MultipartUpload: { Parts: parts } };
          await guarded(client.send(new CompleteMultipartUploadCommand(whole), abortable(signal)), signal);
        },
        async abandon() {
          await guarded(client.send(new AbortMultipartUploadCommand(upload)));
        },
      };
    },
    async head(name, signal) {
      try {
        const { ContentLength } = await client.send(new HeadObjectCommand({ Bucket, Key: name }), abortable(signal));
        return { sizeBytes: ContentLength ?? 0 };
      } catch (error) {
        signal?.throwIfAborted();
        const failure = failureOf(error);
        if (isAbsent(failure)) {
          await assertThere(signal);
          return undefined;
        }
        if (isUnexplained(failure)) await bucket.probe(signal);
        throw s3ErrorAt(options, error);
      }
    },
    async read(name, { start, end }, signal) {
      try {
        const request = new GetObjectCommand({ Bucket, Key: name, Range: `bytes=${start}-${end - 1}` });
        const { Body, ContentRange } = await client.send(request, abortable(signal));
        const content = Body as unknown as AsyncIterable<Uint8Array>;
        // Some servers answer any range with everything.
        return part(content, ContentRange === undefined ? start : 0, end - start);
      } catch (error) {
        signal?.throwIfAborted();
        const failure = failureOf(error);
        // 416: shorter than it was a moment ago. No bytes; whoever counts them sees that.
        if (failure.status === 416) return part(empty(), 0, 0);
        if (isAbsent(failure)) return undefined;
        throw s3ErrorAt(options, error);
      }
    },
    async delete(name) {
      await guarded(client.send(new DeleteObjectCommand({ Bucket, Key: name })));
    },
    async page({ prefix, after, signal }) {
      const request = { Bucket, Prefix: prefix, ...(after === undefined ? {} : { StartAfter: after }) };
      const answer = await guarded(client.send(new ListObjectsV2Command(request), abortable(signal)), signal);
      const objects = (answer.Contents ?? []).map(({ Key = "", Size = 0 }) => ({ name: Key, sizeBytes: Size }));
      return { objects, more: answer.IsTruncated === true && objects.length > 0 };
    },
    async sweepUploads(Prefix, ageMs) {
      let markers = {};
      for (;;) {
        const answer = await guarded(client.send(new ListMultipartUploadsCommand({ Bucket, Prefix, ...markers })));
        for (const { Key, UploadId, Initiated } of answer.Uploads ?? []) {
          if (Initiated === undefined || Initiated.getTime() > Date.now() - ageMs) continue;
          await guarded(client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })));
        }
        if (answer.IsTruncated !== true || answer.NextKeyMarker === undefined) return;
        markers = { KeyMarker: answer.NextKeyMarker, UploadIdMarker: answer.NextUploadIdMarker };
      }
    },
    link: (name, seconds) => guarded(getSignedUrl(client, new GetObjectCommand({ Bucket, Key: name }), { expiresIn: seconds })),
    close: () => client.destroy(),
  };
  return bucket;
}

function createClient({ endpoint, region, pathStyle, credentials }: S3Options): S3Client {
  const fallbackRegion =
    endpoint === undefined || process.env.AWS_REGION || process.env.AWS_DEFAULT_REGION ? undefined : "us-east-1";
  const chosenRegion = region ?? process.env.AWS_DEFAULT_REGION ?? fallbackRegion;
  return new S3Client({
    ...(chosenRegion === undefined ? {} : { region: chosenRegion }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials: withoutUndefined(credentials) }),
    forcePathStyle: pathStyle ?? endpoint !== undefined,
    maxAttempts: attempts,
    // The hash is ours. Checksums in trailers, on by default, are what look-alikes fail at.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    // A server that does not know `Expect` costs seconds of waiting for each large part.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: connectMs,
      requestTimeout: silenceMs,
      throwOnRequestTimeout: true,
      httpAgent: { maxSockets: sockets },
      httpsAgent: { maxSockets: sockets },
    },
  });
}

const withoutUndefined = ({ accessKeyId, secretAccessKey, sessionToken }: NonNullable<S3Options["credentials"]>) => ({
  accessKeyId,
  secretAccessKey,
  ...(sessionToken === undefined ? {} : { sessionToken }),
});

function encryptionHeaders({ encryption }: S3Options) {
  if (encryption === undefined) return {};
  const { algorithm, keyId } = encryption;
  return { ServerSideEncryption: algorithm, ...(keyId === undefined ? {} : { SSEKMSKeyId: keyId }) };
}

/** The server refuses what arrives otherwise; buckets with object lock insist on it. */
const md5 = (bytes: Buffer): string => createHash("md5").update(bytes).digest("base64");

async function* empty(): AsyncGenerator<Uint8Array> {}

/** `length` bytes of `content`, after the first `skip`. A server that is silent for too long has failed. */
async function* part(content: AsyncIterable<Uint8Array>, skip: number, length: number): AsyncGenerator<Uint8Array> {
  let toSkip = skip;
  let left = length;
  for await (const chunk of unlessSilent(content)) {
    const fresh = chunk.subarray(Math.min(toSkip, chunk.byteLength));
    toSkip -= chunk.byteLength - fresh.byteLength;
    const wanted = fresh.subarray(0, left);
    left -= wanted.byteLength;
    if (wanted.byteLength > 0) yield wanted;
    if (left === 0) return;
  }
}

async function* unlessSilent(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const iterator = content[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      let timer: NodeJS.Timeout | undefined;
      const silence = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(Object.assign(new Error("silent"), { code: "TimeoutError" })), silenceMs);
      });
      const { done, value } = await Promise.race([iterator.next(), silence]).finally(() => clearTimeout(timer));
      if (done) {
        ended = true;
        return;
      }
      yield value;
    }
  } finally {
    // Closes the connection. Not waited for: a silent one may never answer.
    if (!ended) void iterator.return?.()?.then(undefined, () => {});
  }
}
