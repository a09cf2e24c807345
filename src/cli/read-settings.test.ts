import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LarderError } from "../contract/index.ts";
import { readSettings } from "./read-settings.ts";

let cwd: string;
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), "larder-settings-"));
});
afterAll(() => rm(cwd, { recursive: true }));

const withConfig = async (content: unknown) => {
  await writeFile(join(cwd, "larder.config.json"), typeof content === "string" ? content : JSON.stringify(content));
};
const read = (flags: Record<string, unknown> = {}, environment: Record<string, string> = {}) =>
  readSettings({ flags, environment, cwd });
const failure = (act: () => unknown): LarderError => {
  try {
    act();
  } catch (error) {
    if (error instanceof LarderError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
};

test("without anything, the documented defaults hold", async () => {
  await withConfig({});
  const settings = read();
  expect(settings.dataDir).toBe(join(cwd, ".larder"));
  expect(settings.listen).toEqual({ hostname: "127.0.0.1", port: 7420 });
  expect(settings.environment as string).toBe("default");
  expect(settings.registry.href).toBe("https://registry.npmjs.org/");
  expect(settings).toMatchObject({ json: false, yes: false, logLevel: "warn", platforms: [], pollInterval: 15_000 });
  expect(settings.server).toBeUndefined();
});

test("a flag beats a variable, and a variable beats the file", async () => {
  await withConfig({ environment: "from-file", listen: "127.0.0.1:1", dataDir: "in-file" });
  const variables = { LARDER_ENVIRONMENT: "from-variable", LARDER_LISTEN: "127.0.0.1:2" };
  const settings = read({ environment: "from-flag" }, variables);
  expect(settings.environment as string).toBe("from-flag");
  expect(settings.listen.port).toBe(2);
  expect(settings.dataDir).toBe(join(cwd, "in-file"));
});

test("an empty variable is one that is not set", async () => {
  await withConfig({ environment: "from-file" });
  expect(read({}, { LARDER_ENVIRONMENT: "" }).environment as string).toBe("from-file");
});

test("the file may hold plain JSON values", async () => {
  await withConfig({ json: true, platforms: ["linux-x64", "darwin-arm64"], pollInterval: 5 });
  const settings = read();
  expect(settings.json).toBe(true);
  expect(settings.platforms).toEqual([
    { os: "linux", cpu: "x64", libc: "glibc" },
    { os: "darwin", cpu: "arm64" },
  ]);
  expect(settings.pollInterval).toBe(5000);
});

test("a bad value names the setting and where it came from", async () => {
  await withConfig({ logLevel: "loud" });
  expect(failure(() => read({ listen: "here" }))).toMatchObject({
    code: "E_INPUT",
    message: expect.stringContaining("listen (from --listen)"),
  });
  expect(failure(() => read({}, { LARDER_BLOB_STORE: "tape" }))).toMatchObject({
    code: "E_CONFIG",
    message: expect.stringMatching(/LARDER_BLOB_STORE|logLevel/),
  });
  expect(failure(() => read())).toMatchObject({ code: "E_CONFIG", message: expect.stringContaining(`"logLevel" in ${cwd}`) });
});

test("a file that is not an object of known settings is refused", async () => {
  for (const [content, says] of [
    ["{", "cannot be read as JSON"],
    ["[]", "no JSON object"],
    [{ dataDirectory: "x" }, '"dataDirectory"'],
    [{ listen: { port: 1 } }, "not a plain value"],
    [{ __proto__: 1, constructor: "x" }, '"constructor"'],
  ] as const) {
    await withConfig(content);
    expect(failure(() => read())).toMatchObject({ code: "E_CONFIG", message: expect.stringContaining(says) });
  }
});

test("a secret that is not valid is not shown", async () => {
  await withConfig({});
  const { message } = failure(() => read({}, { LARDER_DATABASE_URL: "mysql://root:hunter2@db/larder" }));
  expect(message).toContain("LARDER_DATABASE_URL");
  expect(message).not.toContain("hunter2");
});

test("an S3 store is named by its bucket, encryption and links in one word each", async () => {
  await withConfig({ s3Bucket: "my-larder", s3PathStyle: true });
  expect(
    read(
      {},
      {
        LARDER_S3_ENDPOINT: "https://minio.example:9000/",
        LARDER_S3_SSE: "aws:kms:arn:aws:kms:x:1:key/2",
        LARDER_S3_PRESIGN: "5m",
      },
    ),
  ).toMatchObject({
    s3Bucket: "my-larder",
    s3PathStyle: true,
    s3Endpoint: "https://minio.example:9000",
    s3Sse: { algorithm: "aws:kms", keyId: "arn:aws:kms:x:1:key/2" },
    s3Presign: 300,
  });
  for (const [variable, value] of [
    ["LARDER_S3_BUCKET", "Not_A_Bucket"],
    ["LARDER_S3_ENDPOINT", "https://user:hunter2@minio.example"],
    ["LARDER_S3_SSE", "rot13"],
    ["LARDER_S3_PRESIGN", "200h"],
    ["LARDER_BLOB_STORE_MODULE", "fs=./mine.ts"],
    ["LARDER_BLOB_STORE_MODULE", "./mine.ts"],
  ] as const) {
    expect(failure(() => read({}, { [variable]: value })).message).toContain(variable);
  }
});
