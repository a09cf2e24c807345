import { z } from "zod";
import {
  acceptsBlobRedirect,
  type BlobKey,
  type HostEvent,
  type HostIdentity,
  hasCode,
  hostEventSchema,
  hostIdentitySchema,
  idSchema,
  LarderError,
  manifestDeltaType,
  manifestFromHeader,
  rawRoutes,
  runRequestSchema,
  signingChainSchema,
  timeHeaders,
} from "../contract/for-hosts.ts";
import { type HostStore, readHostSelf } from "../host/index.ts";
import { batchedBlobs } from "./batched-blobs.ts";
import { callServer, type ServerAddress } from "./call-server.ts";
import type { ControlPlane } from "./control-plane.ts";
import { createEventParser } from "./event-stream.ts";
import { createProver } from "./prover.ts";
import { readDesired } from "./read-desired.ts";
import { resumedBody, withIdleLimit } from "./resumed-body.ts";
import { jsonOf, misunderstood, readCapped, readJson, unreachable } from "./server-answer.ts";

export interface ControlPlaneOptions {
  server: URL;
  /** Of the host that asks: it says who that is, once it has joined. */
  store: HostStore;
  /** For one exchange. Default 30 s. */
  timeoutMs?: number;
  /** How often in a row a blob's connection may break. Default 5. */
  blobTries?: number;
  /** Silence after which a blob's or the events' connection counts as broken. Default 60 s. */
  idleMs?: number;
}

const kib = 1024;
const mib = 1024 * kib;
const limits = { signingChain: mib, manifest: 128 * mib, blob: 256 * mib, event: 256 * kib, runs: 64 * mib };

const claimedSchema = z.array(z.object({ id: idSchema, request: runRequestSchema }));

/** No I/O until it is used; holds no connection that has to be closed. */
export function createControlPlaneClient(options: ControlPlaneOptions): ControlPlane {
  const { server, store, timeoutMs = 30_000, blobTries = 5, idleMs = 60_000 } = options;
  const prover = createProver(
    () => readHostSelf(store),
    () => signingChain(),
  );
  const address: ServerAddress = { server, prover, timeoutMs };
  const signingChain = (signal?: AbortSignal) =>
    callServer(
      address,
      { path: rawRoutes.signingChain, subject: "its signing keys", anonymous: true, accept: [404], signal },
      async (response) => {
        // An older control plane, whose key was never another.
        if (response.status === 404) return [];
        const text = new TextDecoder().decode(await readCapped(response, limits.signingChain, "its signing keys"));
        const parsed = signingChainSchema.safeParse(jsonOf(text));
        if (parsed.success) return parsed.data;
        throw misunderstood("its signing keys");
      },
    );
  /** Blobs that were fetched, or tried, by a redirect: whatever went wrong, the control plane itself checks, mends and falls back. */
  const redirected = new Set<BlobKey>();
  return {
    async join(token, request, signal) {
      const call = {
        path: rawRoutes.join,
        subject: "to join",
        method: "POST",
        body: JSON.stringify(request),
        token,
        signal,
      } as const;
      const identity = await callServer(address, call, readIdentityAnswer);
      prover.forget();
      return identity;
    },

    identity: (signal) => callServer(address, { path: rawRoutes.self, subject: "its identity", signal }, readIdentityAnswer),

    signingChain,

    desired(etag, signal) {
      const nonce = crypto.randomUUID();
      const call = {
        path: rawRoutes.desired,
        subject: "the desired state",
        headers: { [timeHeaders.question]: nonce, ...(etag === undefined ? {} : { "if-none-match": etag }) },
        accept: [304],
        signal,
      };
      return callServer(address, call, (response) => readDesired(response, nonce)).catch((error) => {
        if (hasCode(error, "E_NOT_READY")) return { kind: "none" };
        throw error;
      });
    },

    manifest: (lockfileHash, { from, signal } = {}) =>
      callServer(
        address,
        {
          path: rawRoutes.manifest(lockfileHash),
          subject: "a manifest",
          headers: from === undefined ? {} : { [manifestFromHeader]: from },
          signal,
        },
        async (response) => {
          const kind = response.headers.get("content-type") === manifestDeltaType ? "delta" : "whole";
          return { kind, bytes: await readCapped(response, limits.manifest, "a manifest") };
        },
      ),

    async blob(key, signal) {
      const subject = `blob ${key.slice(0, 16)}…`;
      const open = (start: number) => {
        const follow = !redirected.has(key);
        redirected.add(key);
        return callServer(
          address,
          {
            path: rawRoutes.blob(key),
            subject,
            headers: { ...(start === 0 ? {} : { range: `bytes=${start}-` }), ...(follow ? acceptsBlobRedirect : {}) },
            follow,
            accept: [404],
            signal,
            streamed: true,
          },
          async (response) => {
            if (response.status !== 404) return response;
            await response.body?.cancel();
            throw new LarderError("E_BLOB_MISSING", `The control plane does not have ${subject}`, {
              hint: "This host tries again by itself: a control plane that has just met its platform is fetching what is made for it. If it stays so, run larder install there, and look at larder storage status.",
              retryable: true,
              details: { key },
            });
          },
        );
      };
      return resumedBody({
        open,
        subject,
        limitBytes: limits.blob,
        tries: blobTries,
        idleMs,
        signal,
        unreachable: (cause) => unreachable(server, cause),
      });
    },

    blobs: (keys, signal) =>
      batchedBlobs(keys, {
        tries: blobTries,
        signal,
        open: async (wanted) => {
          const call = {
            path: rawRoutes.blobs,
            subject: "blobs",
            method: "POST",
            body: JSON.stringify({ keys: wanted }),
            headers: acceptsBlobRedirect,
            signal,
            streamed: true,
          } as const;
          return withIdleLimit(await callServer(address, call, async (response) => response), idleMs);
        },
      }),

    report: (report, signal) =>
      callServer(
        address,
        { path: `${rawRoutes.self}/report`, subject: "to report", method: "PUT", body: JSON.stringify(report), signal },
        async (response) => {
          await response.body?.cancel();
        },
      ),

    claimRuns: (max, signal) =>
      callServer(
        address,
        {
          path: `${rawRoutes.self}/runs/claim`,
          subject: "scripts to run",
          method: "POST",
          body: JSON.stringify({ max }),
          signal,
        },
        async (response) => {
          const text = new TextDecoder().decode(await readCapped(response, limits.runs, "scripts to run"));
          const parsed = claimedSchema.safeParse(jsonOf(text));
          if (parsed.success) return parsed.data;
          throw misunderstood("scripts to run");
        },
      ),

    finishRun: (id, outcome, signal) =>
      callServer(
        address,
        {
          path: `${rawRoutes.self}/runs/${id}`,
          subject: "what came of a script",
          method: "PUT",
          body: JSON.stringify({ outcome }),
          signal,
        },
        async (response) => {
          await response.body?.cancel();
        },
      ),

    async *events(signal, onOpen, onHeard) {
      // Ends the connection, whichever way the consumer leaves.
      const leave = new AbortController();
      const call = {
        path: rawRoutes.events,
        subject: "events",
        headers: { accept: "text/event-stream" },
        signal: AbortSignal.any([signal, leave.signal]),
        streamed: true,
      };
      try {
        const response = await callServer(address, call, async (answer) => answer);
        onOpen?.();
        yield* readEvents(response, { idleMs, leave, server, signal, onHeard });
      } finally {
        leave.abort();
      }
    },
  };
}

async function readIdentityAnswer(response: Response): Promise<HostIdentity> {
  const parsed = hostIdentitySchema.safeParse(await readJson(response, "its identity"));
  if (parsed.success) return parsed.data;
  throw misunderstood("its identity");
}

interface Reading {
  idleMs: number;
  leave: AbortController;
  server: URL;
  signal: AbortSignal;
  onHeard: (() => void) | undefined;
}

async function* readEvents(response: Response, { idleMs, leave, server, signal, onHeard }: Reading): AsyncGenerator<HostEvent> {
  const parse = createEventParser(limits.event);
  let idle = setTimeout(() => leave.abort(), idleMs);
  try {
    for await (const chunk of response.body ?? []) {
      clearTimeout(idle);
      onHeard?.();
      for (const data of parse(chunk)) {
        const event = hostEventSchema.safeParse(jsonOf(data));
        // An event of a later version: events are hints, the poll is the truth.
        if (event.success) yield event.data;
      }
      idle = setTimeout(() => leave.abort(), idleMs);
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (!leave.signal.aborted) throw unreachable(server, error);
  } finally {
    clearTimeout(idle);
  }
}
