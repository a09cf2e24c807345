import type { Logger } from "../../lib/index.ts";
import { type ConsoleFile, chooseEncoding, listConsoleFiles } from "./console-files.ts";
import { assetHeaders, pageHeaders } from "./security-headers.ts";

/** Where the built console comes from: the folder, made first where it must be. Rejects with what a person can do about it. */
export type ConsoleSource = () => Promise<string>;

/** `undefined`: this is no address of the console. */
export type ConsolePages = (request: Request, url: URL) => Promise<Response | undefined>;

type State = { kind: "making" } | { kind: "ready"; files: ReadonlyMap<string, ConsoleFile> } | { kind: "failed"; why: string };

/** Serves the console: its files by their names, and its one page for every other address that a person opens. It is made at the first request. */
export function createConsolePages(source: ConsoleSource, logger: Logger): ConsolePages {
  let state: State | undefined;
  const make = async () => {
    try {
      state = { kind: "ready", files: await listConsoleFiles(await source()) };
    } catch (error) {
      logger.error({ err: error }, "the console could not be made ready");
      state = { kind: "failed", why: error instanceof Error ? error.message : String(error) };
    }
  };
  return async (request, url) => {
    if (isApi(url.pathname) || !["GET", "HEAD"].includes(request.method)) return undefined;
    if (state === undefined || state.kind === "failed") {
      const before = state;
      state = { kind: "making" };
      const made = make();
      // What is built already is there at once.
      await Promise.race([made, new Promise((resolve) => setTimeout(resolve, before ? 5000 : 500))]);
    }
    if (state.kind === "ready") return await answer(state.files, request, url);
    return wantsPage(request) ? waitingPage(state, url) : undefined;
  };
}

const isApi = (pathname: string): boolean => /^\/(api|healthz|readyz|metrics)(\/|$)/.test(pathname);
const wantsPage = (request: Request): boolean => request.headers.get("accept")?.includes("text/html") === true;

async function answer(files: ReadonlyMap<string, ConsoleFile>, request: Request, url: URL): Promise<Response | undefined> {
  const file = url.pathname === "/index.html" ? undefined : files.get(url.pathname);
  if (file) return send(file, request, url.pathname.startsWith("/assets/") ? assetHeaders : pageHeaders(url.pathname));
  const page = files.get("/index.html");
  return page && wantsPage(request) ? send(page, request, pageHeaders(url.pathname)) : undefined;
}

function send(file: ConsoleFile, request: Request, headers: Record<string, string>): Response {
  const { path, encoding } = chooseEncoding(file, request.headers.get("accept-encoding") ?? "");
  const body = request.method === "HEAD" ? null : Bun.file(path);
  return new Response(body, {
    headers: {
      ...headers,
      "content-type": file.type,
      vary: "accept-encoding",
      ...(encoding === undefined ? {} : { "content-encoding": encoding }),
    },
  });
}

function waitingPage(state: Exclude<State, { kind: "ready" }>, url: URL): Response {
  const [title, text] =
    state.kind === "making"
      ? ["The console is being made ready", "This happens once and takes a few seconds. The page opens by itself."]
      : ["The console could not be made ready", state.why];
  const body = `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><h1>${title}</h1><p>${escapeText(text)}</p></html>`;
  return new Response(body, {
    status: 503,
    headers: {
      ...pageHeaders(url.pathname),
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "retry-after": "1",
      ...(state.kind === "making" ? { refresh: "1" } : {}),
    },
  });
}

const escapeText = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
