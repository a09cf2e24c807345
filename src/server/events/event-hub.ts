import type { EnvironmentName, Event, Role } from "../../contract/index.ts";
import { type Db, listSessionIds, listTokens } from "../../db/index.ts";
import type { Logger } from "../../lib/index.ts";
import type { HostAuthenticator } from "../auth/host-authenticator.ts";
import { isRevokedBy, type Principal } from "../auth/principal.ts";
import type { DesiredCache } from "../desired/desired-cache.ts";
import { createChangedHosts } from "./changed-hosts.ts";
import { createGreetings, offerOf, spreadOf } from "./desired-offer.ts";
import { createEventStream, type EventStream, formatEvent, heartbeat, reconnectAfter } from "./event-stream.ts";
import type { Notice } from "./notice.ts";
import { readEvent } from "./read-event.ts";
import { isVisibleTo } from "./visible-event.ts";

export interface EventHub extends AsyncDisposable {
  connect(principal: Principal): Response;
  /** Open streams by role. */
  sessionCounts(): Map<Role, number>;
  /** Reads the row that the notice names and sends it to whoever may see it. */
  notice(notice: Notice): void;
}

interface Session {
  principal: Principal;
  stream: EventStream;
}

interface HubOptions {
  db: Db;
  desired: Pick<DesiredCache, "current">;
  hostAuthenticator: Pick<HostAuthenticator, "isCurrent">;
  logger: Logger;
  heartbeatMs?: number;
  /** How many are let in: a fleet that was told of a change begins within as long as its reports take. */
  reportsPerSecond?: number | undefined;
}

export function openEventHub({
  db,
  desired,
  hostAuthenticator,
  logger,
  heartbeatMs = 15_000,
  reportsPerSecond,
}: HubOptions): EventHub {
  const sessions = new Set<Session>();
  const greetings = createGreetings();
  const reading = new Map<string, "once" | "again">();
  /** Sessions that are no host's. */
  let users = 0;
  let closed = false;

  const send = (event: Event, isFor: (principal: Principal) => boolean) => {
    const bytes = formatEvent(event);
    for (const { principal, stream } of sessions) if (isFor(principal) && isVisibleTo(principal, event)) stream.send(bytes);
  };
  const countHostsOf = (environment: EnvironmentName): number => {
    let count = 0;
    for (const { principal } of sessions) if (principal.host?.environment === environment) count += 1;
    return count;
  };
  const isHost = ({ role }: Principal) => role === "host";
  const isUser = ({ role }: Principal) => role !== "host";
  /** Hosts get the desired state along with the news: a fleet that had to ask for it would ask all at once. */
  const broadcast = async (event: Event) => {
    send(event, event.type === "desired" ? isUser : () => true);
    const listening = event.type === "desired" ? countHostsOf(event.environment) : 0;
    if (event.type !== "desired" || listening === 0) return;
    // Without it hosts still learn that there is something to ask for.
    const current = await desired.current(event.environment).catch(() => undefined);
    const isThis = current !== undefined && current.signed.desired.generation >= event.generation;
    const spreadMs = spreadOf(listening, reportsPerSecond);
    send({ ...event, ...(isThis ? { offer: offerOf(current) } : {}), ...(spreadMs > 0 ? { spreadMs } : {}) }, isHost);
  };
  /** Whatever a host has missed; one that has it already need not ask. */
  const greet = async ({ principal: { host }, stream }: Session) => {
    const current = host && (await desired.current(host.environment));
    if (current) stream.send(greetings.of(current));
  };
  /** Thousands of hosts report; nobody has to read that again for an event that no host may see. */
  const hasAudience = ({ type }: Notice) =>
    users > 0 || (sessions.size > 0 && (type === "desired" || type === "reconcile" || type === "run"));

  /** Notices of one row that arrive while it is being read become one more read. */
  const publish = async (notice: Notice) => {
    const key = JSON.stringify(notice);
    if (reading.has(key)) {
      reading.set(key, "again");
      return;
    }
    try {
      do {
        reading.set(key, "once");
        const event = await readEvent(db.query, notice);
        if (event) await broadcast(event);
      } while (reading.get(key) === "again");
    } catch (error) {
      logger.warn({ err: error, notice: notice.type }, "an event could not be read; whoever waits for it will poll");
    } finally {
      reading.delete(key);
    }
  };
  const changedHosts = createChangedHosts({ db, logger, publish: (event) => send(event, isUser) });

  /** Also the moment to notice a revocation whose own notice was lost, and a session that has expired. */
  const beat = async () => {
    if (sessions.size === 0) return;
    const tokens = new Set((await listTokens(db.query)).map(({ id }) => id));
    const signedIn = new Set(await listSessionIds(db.query));
    const isSignedIn = ({ tokenId, session }: Principal) =>
      tokens.has(tokenId) && (session === undefined || signedIn.has(session.id));
    for (const { principal, stream } of sessions) {
      const isLive = principal.host ? await hostAuthenticator.isCurrent(principal.host) : isSignedIn(principal);
      if (isLive) stream.send(heartbeat);
      else stream.close();
    }
  };
  const timer = setInterval(() => {
    beat().catch((error: unknown) => logger.warn({ err: error }, "tokens of event streams could not be checked"));
  }, heartbeatMs);

  return {
    connect(principal) {
      const weight = principal.role === "host" ? 0 : 1;
      const onClosed = () => {
        if (sessions.delete(session)) users -= weight;
      };
      const session: Session = { principal, stream: createEventStream(onClosed) };
      sessions.add(session);
      users += weight;
      session.stream.send(heartbeat);
      // Who is not greeted asks.
      greet(session).catch((error: unknown) => logger.debug({ err: error }, "a host was not greeted"));
      if (closed) session.stream.close();
      return new Response(session.stream.body, {
        headers: { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" },
      });
    },
    sessionCounts() {
      const counts = new Map<Role, number>();
      for (const { principal } of sessions) counts.set(principal.role, (counts.get(principal.role) ?? 0) + 1);
      return counts;
    },
    notice(notice) {
      if (notice.type === "revoked") {
        for (const { principal, stream } of sessions) if (isRevokedBy(principal, notice)) stream.close();
      } else if (hasAudience(notice) && notice.type !== "resumed") {
        if (notice.type === "hosts") changedHosts.add(notice.ids);
        else void publish(notice);
      }
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      clearInterval(timer);
      changedHosts.stop();
      // Not all in the same instant at the replicas that are left.
      const spreadMs = Math.min(10_000, sessions.size);
      for (const { stream } of sessions) {
        stream.send(reconnectAfter(Math.ceil(Math.random() * spreadMs)));
        stream.close();
      }
    },
  };
}
