/** What declares the types of those of `realPackages` that bring none. */
export const companions: Record<string, string> = {
  "@types/express": "4.17.21",
  "@types/jsonwebtoken": "9.0.9",
  "@types/lodash": "4.17.16",
  "@types/luxon": "3.6.2",
  "@types/ms": "2.1.0",
  "@types/node": "22.15.0",
  "@types/qs": "6.9.18",
  "@types/ramda": "0.30.2",
  "@types/react": "19.1.2",
  "@types/react-dom": "19.1.2",
  "@types/semver": "7.7.0",
  "@types/ws": "8.18.1",
};

/**
 * A small script for each package. What is declared `const x: T` must be of that type; each `@ts-expect-error` stands before a mistake, which `any` would not
 * find: so a package whose types do not arrive fails.
 */
export const typedScripts: Record<string, string> = {
  "@aws-sdk/client-s3": `
    import { GetObjectCommand, S3Client, type GetObjectCommandOutput } from "@aws-sdk/client-s3";
    const client = new S3Client({ region: "eu-west-1" });
    const answer: Promise<GetObjectCommandOutput> = client.send(new GetObjectCommand({ Bucket: "b", Key: "k" }));
    const etag: string | undefined = (await answer).ETag;
    // @ts-expect-error a key is text
    new GetObjectCommand({ Bucket: "b", Key: 1 });
    export default etag;`,
  "@octokit/rest": `
    import { Octokit } from "@octokit/rest";
    const { data } = await new Octokit().rest.repos.get({ owner: "o", repo: "r" });
    const stars: number = data.stargazers_count;
    // @ts-expect-error a name is text
    const wrong: number = data.full_name;
    export default [stars, wrong];`,
  ajv: `
    import { Ajv, type ErrorObject } from "ajv";
    const validate = new Ajv().compile<{ a: number }>({ type: "object" });
    const errors: ErrorObject[] | null | undefined = validate.errors;
    // @ts-expect-error there is no such option
    new Ajv({ nonsense: true });
    export default errors;`,
  axios: `
    import axios, { type AxiosResponse } from "axios";
    const answer: AxiosResponse<{ id: number }> = await axios.get<{ id: number }>("/");
    // @ts-expect-error an id is a number
    const id: string = answer.data.id;
    export default id;`,
  "bignumber.js": `
    import { BigNumber } from "bignumber.js";
    const sum: BigNumber = new BigNumber(1).plus("2");
    // @ts-expect-error not a number
    const wrong: number = sum;
    export default wrong;`,
  chalk: `
    import chalk, { type ChalkInstance } from "chalk";
    const bold: ChalkInstance = chalk.bold;
    // @ts-expect-error no such colour
    chalk.purple("x");
    export default bold("x");`,
  cheerio: `
    import * as cheerio from "cheerio";
    const text: string = cheerio.load("<p>x</p>")("p").text();
    // @ts-expect-error text, not a number
    const wrong: number = cheerio.load("")("p").text();
    export default [text, wrong];`,
  commander: `
    import { Command } from "commander";
    const program: Command = new Command("x").option("-a");
    // @ts-expect-error a name is text
    program.name(1);
    export default program;`,
  "csv-parse/sync": `
    import { parse } from "csv-parse/sync";
    const rows: string[][] = parse("a,b");
    // @ts-expect-error text or bytes
    parse(1);
    export default rows;`,
  "date-fns": `
    import { addDays, format } from "date-fns";
    const text: string = format(addDays(new Date(), 1), "yyyy");
    // @ts-expect-error an amount is a number
    addDays(new Date(), "1");
    export default text;`,
  dayjs: `
    import dayjs, { type Dayjs } from "dayjs";
    const day: Dayjs = dayjs().add(1, "day");
    // @ts-expect-error no such unit
    dayjs().add(1, "fortnights");
    export default day;`,
  "dayjs/plugin/utc.js": `
    import dayjs from "dayjs";
    import utc from "dayjs/plugin/utc.js";
    dayjs.extend(utc);
    const offset: number = dayjs.utc().utcOffset();
    // @ts-expect-error not from this plugin
    dayjs.tz;
    export default offset;`,
  express: `
    import express, { type Request, type Response } from "express";
    const app = express();
    app.get("/:id", (request: Request, response: Response) => void response.json({ id: request.params.id, at: request.headers.host }));
    // @ts-expect-error a path is no number
    app.get(1, () => undefined);
    export default app;`,
  "fast-xml-parser": `
    import { XMLParser } from "fast-xml-parser";
    const parser = new XMLParser({ ignoreAttributes: false });
    // @ts-expect-error there is no such option
    new XMLParser({ nonsense: 1 });
    export default parser;`,
  fastify: `
    import fastify, { type FastifyInstance } from "fastify";
    const app: FastifyInstance = fastify({ logger: true });
    app.get("/", async (request) => ({ host: request.hostname }));
    // @ts-expect-error a port is a number
    app.listen({ port: "80" });
    export default app;`,
  got: `
    import got from "got";
    const body: { a: number } = await got("https://x.test").json<{ a: number }>();
    // @ts-expect-error a limit is a number
    got("https://x.test", { retry: { limit: "many" } });
    export default body;`,
  handlebars: `
    import Handlebars from "handlebars";
    const text: string = Handlebars.compile("{{a}}")({ a: 1 });
    // @ts-expect-error text
    const wrong: number = Handlebars.escapeExpression("x");
    export default [text, wrong];`,
  immer: `
    import { produce } from "immer";
    const next: { a: number } = produce({ a: 1 }, (draft) => void (draft.a = 2));
    // @ts-expect-error there is no b
    produce({ a: 1 }, (draft) => void (draft.b = 2));
    export default next;`,
  jsonwebtoken: `
    import jwt, { type JwtPayload } from "jsonwebtoken";
    const claims: string | JwtPayload = jwt.verify("t", "s");
    // @ts-expect-error no such algorithm
    jwt.sign({}, "s", { algorithm: "rot13" });
    export default claims;`,
  lodash: `
    import _ from "lodash";
    const groups: Record<string, number[]> = _.groupBy([1, 2], (n) => (n % 2 ? "odd" : "even"));
    // @ts-expect-error a size is a number
    _.chunk([1], "2");
    export default groups;`,
  luxon: `
    import { DateTime } from "luxon";
    const text: string | null = DateTime.now().plus({ days: 1 }).toISO();
    // @ts-expect-error no such unit
    DateTime.now().plus({ fortnights: 1 });
    export default text;`,
  marked: `
    import { marked, type Token } from "marked";
    const tokens: Token[] = marked.lexer("# x");
    // @ts-expect-error text
    marked.lexer(1);
    export default tokens;`,
  mathjs: `
    import { create, all, type MathJsInstance } from "mathjs";
    const math: MathJsInstance = create(all);
    // @ts-expect-error text
    math.parse({ nonsense: true }).nonsense;
    export default math;`,
  ms: `
    import ms from "ms";
    const time: number = ms("1 day");
    // @ts-expect-error no unit
    ms("one fortnight");
    export default time;`,
  nanoid: `
    import { nanoid } from "nanoid";
    const id: string = nanoid(10);
    // @ts-expect-error a size is a number
    nanoid("10");
    export default id;`,
  "node:fs/promises": `
    import { readFile } from "node:fs/promises";
    const text: string = await readFile("x", "utf8");
    // @ts-expect-error text, not bytes
    const wrong: Buffer = await readFile("x", "utf8");
    export default [text, wrong];`,
  "p-limit": `
    import pLimit, { type LimitFunction } from "p-limit";
    const limit: LimitFunction = pLimit(2);
    // @ts-expect-error a number
    pLimit("2");
    export default limit.activeCount;`,
  pino: `
    import { pino, type Logger } from "pino";
    const logger: Logger = pino({ level: "info" });
    // @ts-expect-error a level is text
    pino({ level: 1 });
    export default logger;`,
  qs: `
    import qs, { type ParsedQs } from "qs";
    const parsed: ParsedQs = qs.parse("a=1");
    // @ts-expect-error a depth is no text
    qs.parse("a=1", { depth: "2" });
    export default parsed;`,
  ramda: `
    import * as R from "ramda";
    const sum: number = R.sum(R.map((n: number) => n + 1, [1, 2]));
    // @ts-expect-error numbers
    R.sum(["a"]);
    export default sum;`,
  react: `
    import { useState, type ReactNode } from "react";
    const [count] = useState(1);
    const node: ReactNode = String(count.toFixed());
    // @ts-expect-error a number
    const wrong: string = count;
    export default [node, wrong];`,
  "react-dom/client": `
    import { createRoot, type Root } from "react-dom/client";
    const root: Root = createRoot({} as Element);
    // @ts-expect-error an element
    createRoot("x");
    export default root;`,
  rxjs: `
    import { map, of, type Observable } from "rxjs";
    const texts: Observable<string> = of(1).pipe(map((n) => n.toFixed()));
    // @ts-expect-error text
    const wrong: Observable<number> = texts;
    export default wrong;`,
  "rxjs/operators": `
    import { of } from "rxjs";
    import { filter } from "rxjs/operators";
    // @ts-expect-error there is no such method of a number
    of(1).pipe(filter((n) => n.nonsense()));
    export default of(1);`,
  semver: `
    import semver, { type SemVer } from "semver";
    const version: SemVer | null = semver.parse("1.2.3");
    // @ts-expect-error no such part
    semver.inc("1.0.0", "huge");
    export default version;`,
  undici: `
    import { request } from "undici";
    const { statusCode } = await request("https://x.test");
    const status: number = statusCode;
    // @ts-expect-error no such method
    request("https://x.test", { method: 1 });
    export default status;`,
  uuid: `
    import { v4, validate } from "uuid";
    const id: string = v4();
    // @ts-expect-error text
    const wrong: number = v4();
    export default [validate(id), wrong];`,
  ws: `
    import { WebSocketServer, type WebSocket } from "ws";
    new WebSocketServer({ port: 0 }).on("connection", (socket: WebSocket) => socket.send("x"));
    // @ts-expect-error a port is a number
    new WebSocketServer({ port: "0" });
    export {};`,
  yaml: `
    import { parse, Document } from "yaml";
    const document: Document = new Document({ a: 1 });
    // @ts-expect-error text
    parse(1);
    export default document;`,
  zod: `
    import { z } from "zod";
    const schema = z.object({ a: z.number() });
    const value: { a: number } = schema.parse({});
    // @ts-expect-error a number
    const wrong: string = schema.parse({}).a;
    export default [value, wrong];`,
};
