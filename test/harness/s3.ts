import { join } from "node:path";
import type { S3Fault, S3Request } from "./s3-fault.ts";
import { describeOutput, spawnProcess } from "./spawned.ts";
import { openTempDir } from "./temp-dir.ts";
import { until } from "./until.ts";

export interface S3Server extends AsyncDisposable {
  endpoint: string;
  /** Made already. */
  bucket: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
  /** The file that holds an object's bytes. */
  pathOf(name: string): string;
  /** The folder of uploads that are not finished. */
  uploads: string;
  /** From now on, in place of those before. */
  fault(...faults: S3Fault[]): Promise<void>;
  /** Those since it was last asked. */
  requests(): Promise<S3Request[]>;
  /** Gone, until the end of the test. */
  stop(): Promise<void>;
}

/** A real S3 server in a process of its own, with its objects in a temporary directory. */
export async function startS3(): Promise<S3Server> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await openTempDir("s3"));
  const child = stack.use(spawnProcess("node", [join(import.meta.dirname, "s3-server.mjs"), directory.path]));
  const port = await until("the S3 server listens", async () => {
    if (!child.isRunning()) throw new Error(`The S3 server ended.\n${describeOutput(child)}`);
    return /^(\d+)\n/.exec(child.stdout())?.[1];
  });
  const endpoint = `http://127.0.0.1:${port}`;
  const owned = stack.move();
  return {
    endpoint,
    bucket: "larder",
    credentials: { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" },
    pathOf: (name) => directory.join("larder", `${name}._S3rver_object`),
    uploads: directory.join("larder", "._S3rver_uploads"),
    async fault(...faults) {
      await fetch(`${endpoint}/-/faults`, { method: "PUT", body: JSON.stringify(faults) });
    },
    requests: async () => (await (await fetch(`${endpoint}/-/requests`)).json()) as S3Request[],
    async stop() {
      await child.kill9();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** For a process of Larder that keeps blobs there. */
export const s3Flags = ({ endpoint, bucket }: Pick<S3Server, "endpoint" | "bucket">): string[] => [
  ...["--s3-bucket", bucket],
  ...["--s3-endpoint", endpoint],
  ...["--s3-region", "us-east-1"],
];

export const s3Environment = ({ credentials }: Pick<S3Server, "credentials">) => ({
  LARDER_S3_ACCESS_KEY_ID: credentials.accessKeyId,
  LARDER_S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
});
