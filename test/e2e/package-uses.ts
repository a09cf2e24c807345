/** A use of each well-known package: the body of an async function that is given the package as `m`, and what it must return under every runtime. */
export const packageUses: Record<string, [body: string, expected: unknown]> = {
  "@aws-sdk/client-s3": [`return new m.PutObjectCommand({ Bucket: "b", Key: "k" }).input.Bucket`, "b"],
  "@octokit/rest": [`return typeof new m.Octokit().rest.repos.get`, "function"],
  ajv: [`return new (m.Ajv ?? m.default)().validate({ type: "number" }, "x")`, false],
  axios: [`return m.default.getUri({ url: "/a", params: { b: 1 } })`, "/a?b=1"],
  "bignumber.js": [`return new m.BigNumber("0.1").plus("0.2").toString()`, "0.3"],
  chalk: [`return new m.Chalk({ level: 1 }).red("x")`, "\u001b[31mx\u001b[39m"],
  cheerio: [`return m.load("<p>hi</p>")("p").text()`, "hi"],
  commander: [`return new m.Command("x").option("-a").parse(["-a"], { from: "user" }).opts()`, { a: true }],
  "csv-parse": [
    `return await new Promise((resolve) => m.parse("a,b\\n1,2", (_, rows) => resolve(rows)))`,
    [
      ["a", "b"],
      ["1", "2"],
    ],
  ],
  "date-fns": [`return m.addDays(new Date(0), 1).toISOString()`, "1970-01-02T00:00:00.000Z"],
  dayjs: [`return m.default("2026-01-31").add(1, "month").format("YYYY-MM-DD")`, "2026-02-28"],
  esbuild: [`return (await m.transform("let a: number = 1", { loader: "ts" })).code`, "let a = 1;\n"],
  express: [`return typeof m.default().listen`, "function"],
  "fast-xml-parser": [`return new m.XMLParser().parse("<a>1</a>")`, { a: 1 }],
  fastify: [
    `const app = m.default(); app.get("/", async () => ({ ok: true })); return (await app.inject("/")).json()`,
    { ok: true },
  ],
  got: [`return m.default.extend({ retry: { limit: 7 } }).defaults.options.retry.limit`, 7],
  handlebars: [`return m.default.compile("hi {{a}}")({ a: 1 })`, "hi 1"],
  immer: [`return m.produce({ a: 1 }, (draft) => { draft.a = 2 })`, { a: 2 }],
  jsonwebtoken: [`return m.default.verify(m.default.sign({ a: 1 }, "s", { noTimestamp: true }), "s")`, { a: 1 }],
  lodash: [`return m.default.chunk([1, 2, 3], 2)`, [[1, 2], [3]]],
  luxon: [`return m.DateTime.fromISO("2026-01-31", { zone: "utc" }).plus({ months: 1 }).toISODate()`, "2026-02-28"],
  marked: [`return m.marked.parse("# a")`, "<h1>a</h1>\n"],
  mathjs: [`return m.evaluate("2 + 3 * 4")`, 14],
  ms: [`return m.default("2 days")`, 172_800_000],
  nanoid: [`return m.customAlphabet("a", 5)()`, "aaaaa"],
  "p-limit": [`return await m.default(1)(async () => 3)`, 3],
  pino: [
    `let out = ""; m.default({ base: null, timestamp: false }, { write: (line) => { out += line } }).info("x"); return JSON.parse(out)`,
    { level: 30, msg: "x" },
  ],
  qs: [`return m.default.parse("a[b]=1")`, { a: { b: "1" } }],
  ramda: [`return m.sum([1, 2, 3])`, 6],
  react: [`return m.createElement("p").type`, "p"],
  "react-dom": [
    `const { renderToStaticMarkup } = await import("react-dom/server"); const { createElement } = await import("react");
     return renderToStaticMarkup(createElement("p", null, typeof m.createPortal))`,
    "<p>function</p>",
  ],
  rxjs: [`return await m.firstValueFrom(m.of(1).pipe(m.map((x) => x + 1)))`, 2],
  semver: [`return m.default.satisfies("1.2.3", "^1.0.0")`, true],
  sharp: [
    `const image = m.default({ create: { width: 2, height: 1, channels: 3, background: "red" } }); return (await image.raw().toBuffer()).length`,
    6,
  ],
  "string-width": [`return m.default("日本")`, 4],
  typescript: [`return (m.default ?? m).transpile("let a: number = 1", { target: 99 })`, "let a = 1;\n"],
  undici: [`return new m.Headers({ a: "1" }).get("a")`, "1"],
  uuid: [`return m.v5("a", "6ba7b811-9dad-11d1-80b4-00c04fd430c8").length`, 36],
  "wrap-ansi": [`return m.default("aaa bbb", 3)`, "aaa\nbbb"],
  ws: [`return typeof m.WebSocketServer`, "function"],
  yaml: [`return m.parse("a: [1, 2]")`, { a: [1, 2] }],
  zod: [`return m.z.string().safeParse(1).success`, false],
};

/** A script that makes all of these uses, and gives what came of each. */
export const usesScript = (): string => `const results: Record<string, unknown> = {};
const use = async (name: string, body: (m: any) => Promise<unknown>) => {
  try {
    results[name] = { value: await body(await import(name)) };
  } catch (error) {
    results[name] = { failed: String(error) };
  }
};
${Object.entries(packageUses)
  .map(([name, [body]]) => `await use(${JSON.stringify(name)}, async (m) => { ${body} });`)
  .join("\n")}
export default results;
// The compiler that esbuild started waits for more work.
setTimeout(() => process.exit(0), 100);
`;
