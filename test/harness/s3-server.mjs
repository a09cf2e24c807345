import crypto from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import S3rver from "@20minutes/s3rver";
import signature from "@20minutes/s3rver/lib/signature/v4.js";

// A process of its own on Node, so that its memory is not the test's: s3rver, what it lacks (atomic puts, If-None-Match, giving up uploads), and faults.
// `PUT /-/faults` and `GET /-/requests` are the test's side door. Ends with its standard input.

const directory = process.argv[2];
await mkdir(directory, { recursive: true });
const s3 = new S3rver({ directory, silent: true, configureBuckets: [{ name: "larder" }], vhostBuckets: false });
await s3.configureBuckets();
const handle = s3.callback();
let faults = [];
let requests = [];

// It scrambles its continuation tokens with DES, which OpenSSL has no more. Nobody here uses them.
crypto.createCipheriv = () => ({ update: (text) => Buffer.from(text), final: () => Buffer.alloc(0) });

// The SDK signs a bucket's path with its slash; s3rver forgets that slash.
const { getStringToSign } = signature;
signature.getStringToSign = (request, how) =>
  getStringToSign({ ...request, uri: /^\/[^/]+$/.test(request.uri) ? `${request.uri}/` : request.uri }, how);

// Readers of a real S3 never see an object that is being written.
const putContent = s3.store.putContent.bind(s3.store);
let drafts = 0;
s3.store.putContent = async (path, content) => {
  const draft = `${path}.${++drafts}`;
  const result = await putContent(draft, content);
  await rename(draft, path);
  return result;
};

// Bun reads directories in any order; S3 lists by name.
const listObjects = s3.store.listObjects.bind(s3.store);
s3.store.listObjects = async (bucket, { maxKeys = 1000, ...options }) => {
  const all = await listObjects(bucket, options);
  const objects = all.objects.sort((a, b) => (a.key < b.key ? -1 : 1));
  return { ...all, objects: objects.slice(0, maxKeys), isTruncated: objects.length > maxKeys };
};

const server = createServer((request, response) => {
  respond(request, response).catch((error) => sendError(response, 500, "InternalError", String(error)));
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
process.stdin.on("end", () => process.exit(0)).resume();

async function respond(request, response) {
  const url = new URL(request.url ?? "/", "http://s3");
  if (url.pathname === "/-/faults") {
    faults = JSON.parse(await text(request));
    response.end();
    return;
  }
  if (url.pathname === "/-/requests") {
    response.end(JSON.stringify(requests));
    requests = [];
    return;
  }
  requests.push({ method: request.method, url: request.url, headers: request.headers });
  const fault = faults.find(
    ({ method, path, times }) => times > 0 && (method ?? request.method) === request.method && request.url.includes(path ?? ""),
  );
  if (fault) {
    fault.times -= 1;
    const { what } = fault;
    if (what.kind !== "loseAnswer" && what.kind !== "cutBody") {
      for await (const _ of request);
      if (what.kind === "lie") response.setHeader("etag", '"lie"').end();
      else if (what.kind === "errorBody") sendError(response, 200, "InternalError", "We encountered an internal error.");
      else sendError(response, what.status, what.code, what.code, what);
      return;
    }
    if (what.kind === "loseAnswer") {
      response.write = () => true;
      response.end = () => response.destroy();
    } else cutAfter(response, what.afterBytes);
  }
  const [, bucket = "", ...rest] = decodeURIComponent(url.pathname).split("/");
  const key = rest.join("/");
  const uploads = join(directory, bucket, "._S3rver_uploads");
  if (request.method === "GET" && url.searchParams.has("uploads")) {
    response.setHeader("content-type", "application/xml").end(await listUploads(uploads, url.searchParams.get("prefix") ?? ""));
    return;
  }
  const uploadId = url.searchParams.get("uploadId");
  if (uploadId !== null && !(await exists(join(uploads, uploadId)))) {
    for await (const _ of request);
    sendError(response, 404, "NoSuchUpload", "The specified upload does not exist.");
    return;
  }
  if (request.method === "DELETE" && uploadId !== null) {
    await rm(join(uploads, uploadId), { recursive: true, force: true });
    response.writeHead(204).end();
    return;
  }
  if (request.method === "PUT" && request.headers["if-none-match"] === "*" && (await s3.store.existsObject(bucket, key))) {
    for await (const _ of request);
    sendError(response, 412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold");
    return;
  }
  await handle(request, response);
}

async function listUploads(folder, prefix) {
  let body = "";
  for (const id of await readdir(folder).catch(() => [])) {
    const key = await readFile(join(folder, id, "key"), "utf8");
    const began = (await stat(join(folder, id, "key"))).mtime.toISOString();
    if (key.startsWith(prefix))
      body += `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${began}</Initiated></Upload>`;
  }
  return `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${body}</ListMultipartUploadsResult>`;
}

const exists = (path) =>
  stat(path).then(
    () => true,
    () => false,
  );

function cutAfter(response, bytes) {
  const write = response.write.bind(response);
  let left = bytes;
  response.write = (chunk) => {
    if (chunk.byteLength < left) {
      left -= chunk.byteLength;
      return write(chunk);
    }
    write(chunk.subarray(0, left));
    setTimeout(() => response.destroy(), 20);
    response.write = () => true;
    response.end = () => response;
    return true;
  };
}

function sendError(response, status, code, message, { headers = {}, inner = "" } = {}) {
  response.writeHead(status, { "content-type": "application/xml", ...headers });
  response.end(
    `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message>${inner}</Error>`,
  );
}
