import { createHash } from "node:crypto";
import { type EnvironmentName, environmentNameSchema, isBlobKey, LarderError, maxTypesSpecifiers } from "../../contract/index.ts";
import { type Db, getTypesBundleOf } from "../../db/index.ts";
import { type PackedBundle, unpackBundle } from "../../types/index.ts";
import type { TypesAnswers, TypesQuestion } from "../declarations/answer-types.ts";
import type { TypesLibrary } from "../declarations/types-library.ts";
import type { Exchange } from "../http/fetch-handler.ts";
import { requireEnvironment } from "../routes/environment-routes.ts";
import { matchesEtag, notModified } from "./etag.ts";

const maxSpecifierLength = 1024;
/** Small answers are sent as they are: packing would cost more than it saves. */
const packFrom = 4096;

/** What is final may be kept, and is asked about again; what is not is kept by nobody. */
export async function getTypes(
  { request, url, params }: Exchange,
  { db, answers }: { db: Db; answers: TypesAnswers },
): Promise<Response> {
  const environment = await knownEnvironment(db, params.environment);
  const answer = await answers.answer({ environment, ...readQuestion(url.searchParams) });
  const body = JSON.stringify(answer);
  const type = { "content-type": "application/json" };
  if (!answer.final) return await packed(request, body, { ...type, "cache-control": "no-store" });
  const etag = `"${createHash("sha256").update(body).digest("hex")}"`;
  const headers = { etag: `W/${etag}`, "cache-control": "private, no-cache", vary: "accept-encoding" };
  if (matchesEtag(request.headers.get("if-none-match"), etag)) return notModified(headers);
  return await packed(request, body, { ...type, ...headers });
}

/** Its key is the hash of its bytes: what was kept is right for ever. */
export async function getTypesBundle(
  { request, params }: Exchange,
  { db, library }: { db: Db; library: TypesLibrary },
): Promise<Response> {
  const environment = environmentNameSchema.safeParse(params.environment).data;
  const key = params.bundle ?? "";
  const stored = environment && isBlobKey(key) ? await getTypesBundleOf(db.query, environment, key) : undefined;
  if (stored === undefined) throw notThere();
  const headers = {
    etag: `W/"${stored.bundleKey}"`,
    "cache-control": "private, max-age=31536000, immutable",
    vary: "accept-encoding",
  };
  if (matchesEtag(request.headers.get("if-none-match"), `"${stored.bundleKey}"`)) return notModified(headers);
  let bundle: PackedBundle | undefined = { key: stored.bundleKey, content: stored.content };
  let json = await unpackBundle(bundle);
  if (json === undefined) {
    bundle = await library.recut(stored.blobKey);
    json = bundle?.key === stored.bundleKey ? await unpackBundle(bundle) : undefined;
  }
  if (bundle === undefined || json === undefined) throw notThere();
  const type = { "content-type": "application/json" };
  return acceptsGzip(request)
    ? new Response(bundle.content as Uint8Array<ArrayBuffer>, { headers: { ...type, ...headers, "content-encoding": "gzip" } })
    : new Response(json as Uint8Array<ArrayBuffer>, { headers: { ...type, ...headers } });
}

function readQuestion(query: URLSearchParams): Omit<TypesQuestion, "environment"> {
  const number = query.get("generation");
  if (number !== null && !/^[1-9]\d{0,14}$/.test(number)) throw badQuestion("generation is not a generation's number");
  const generation = number === null ? undefined : Number(number);
  if (query.get("all") === "true") return { wanted: "all", generation };
  const wanted = [...new Set(query.getAll("specifier"))];
  if (wanted.length === 0) throw badQuestion("it names no specifier");
  if (wanted.length > maxTypesSpecifiers) throw badQuestion(`it names more than ${maxTypesSpecifiers} specifiers`);
  if (wanted.some((specifier) => specifier.length > maxSpecifierLength)) throw badQuestion("a specifier is too long");
  return { wanted, generation };
}

async function knownEnvironment(db: Db, name: string | undefined): Promise<EnvironmentName> {
  const parsed = environmentNameSchema.safeParse(name);
  if (!parsed.success) throw badQuestion("that is no environment's name");
  return (await requireEnvironment(db.query, parsed.data)).name;
}

async function packed(request: Request, body: string, headers: Record<string, string>): Promise<Response> {
  if (body.length < packFrom || !acceptsGzip(request)) return new Response(body, { headers });
  return new Response(Bun.gzipSync(body), { headers: { ...headers, "content-encoding": "gzip" } });
}

const acceptsGzip = (request: Request): boolean =>
  /(?:^|,)\s*(?:gzip|\*)\s*(?:$|,|;(?!\s*q=0(?:\.0*)?\s*(?:$|,)))/i.test(request.headers.get("accept-encoding") ?? "");

const badQuestion = (why: string): LarderError =>
  new LarderError("E_INPUT", `The types asked for cannot be answered: ${why}.`, {
    hint: "Ask with ?specifier=NAME, several times if need be, or with ?all=true; &generation=N for another than the current one.",
  });

/** The same whether it never was, is somewhere else or is not a key at all. */
const notThere = (): LarderError => new LarderError("E_NOT_FOUND", "This environment has no such types.");
