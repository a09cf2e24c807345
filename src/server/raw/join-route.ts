import {
  type Enrolment,
  type HostIdentity,
  type Id,
  idSchema,
  isJoinSignedBy,
  type JoinRequest,
  joinRequestSchema,
  LarderError,
  parseEnrolmentToken,
} from "../../contract/index.ts";
import {
  type Db,
  findHostByKey,
  type HostKey,
  insertHost,
  lockEnrolment,
  type Queryable,
  recordAudit,
  useEnrolment,
  wasKeyRevokedSince,
} from "../../db/index.ts";
import { failpoint, type Logger } from "../../lib/index.ts";
import { hashOfToken } from "../auth/token-text.ts";
import { formatNotice } from "../events/notice.ts";
import type { Exchange } from "../http/fetch-handler.ts";
import { withJsonBody } from "../http/request-body.ts";
import type { Signer } from "../signing/signer.ts";
import type { Stocker } from "../stocking/stocker.ts";

interface JoinContext {
  db: Db;
  signer: Signer;
  stocker: Stocker;
}

/**
 * An enrolment token, once, for an identity with the key that the host made itself. Whoever brings a key that has joined gets the identity it got then, whatever
 * became of the token: its answer was lost.
 */
export async function joinHost({ request, log }: Exchange, context: JoinContext): Promise<Response> {
  const token = /^Bearer +(\S{1,300}) *$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  if (token === undefined) throw refused("Joining needs an enrolment token.");
  parseEnrolmentToken(token);
  const parsed = joinRequestSchema.safeParse(await (await withJsonBody(request)).json().catch(() => undefined));
  if (!parsed.success) throw new LarderError("E_INPUT", "The body is not what a host joins with.");
  if (!(await isJoinSignedBy(token, parsed.data))) {
    throw new LarderError("E_SIGNATURE", "The host has not signed with the key that it brings.");
  }
  const { id, environment } = await join(context, { hash: hashOfToken(token), join: parsed.data, log });
  await context.stocker.consider({ environment, phase: "pending", platform: parsed.data.platform });
  await failpoint("enrol:before-answer");
  const { storeId, publicKey } = context.signer;
  return Response.json({ hostId: id, environment, storeId, publicKey } satisfies HostIdentity);
}

interface Joining {
  hash: string;
  join: JoinRequest;
  log: Logger;
}

async function join(
  { db, signer }: Pick<JoinContext, "db" | "signer">,
  { hash, join: asked, log }: Joining,
): Promise<Pick<HostKey, "id" | "environment">> {
  return await db.transaction(async (tx) => {
    const enrolment = await lockEnrolment(tx, hash);
    if (enrolment === undefined) throw refused("This enrolment token is not known here.");
    const { id, environment } = enrolment;
    assertMember(asked, { storeId: signer.storeId, environment });
    const known = await findHostByKey(tx, asked.publicKey);
    if (known) return assertSame(known, enrolment);
    assertOpen(enrolment);
    if (await wasKeyRevokedSince(tx, asked.publicKey, enrolment.createdAt)) {
      throw refused("This host was revoked after the token was made.");
    }
    const hostId = await insertNamed(tx, enrolment, asked);
    await failpoint("enrol:inserted");
    await useEnrolment(tx, id);
    const { platform, name } = asked;
    await recordAudit(tx, {
      actor: `enrolment ${id}`,
      action: "host.join",
      target: hostId,
      details: { environment, name, platform },
    });
    await db.notify(tx, formatNotice({ type: "hosts", ids: [hostId] }));
    log.info({ host: hostId, environment, enrolment: id }, "a host has joined");
    await failpoint("enrol:before-commit");
    return { id: hostId, environment };
  });
}

/** Its generations would not be those of another environment. */
function assertMember({ member }: JoinRequest, wanted: NonNullable<JoinRequest["member"]>): void {
  if (member === undefined || (member.storeId === wanted.storeId && member.environment === wanted.environment)) return;
  throw new LarderError(
    "E_WRONG_STORE",
    `The token is for environment ${wanted.environment}; this host's store belongs to ${member.environment} of store ${member.storeId}.`,
    {
      hint: "Use a token of its own control plane and environment, or an empty data directory.",
      details: { wanted, member },
    },
  );
}

function assertSame(known: HostKey, { environment, hostId }: Enrolment): HostKey {
  if (known.environment === environment && (hostId === undefined || hostId === known.id)) return known;
  throw new LarderError("E_CONFLICT", `This host is ${known.id} in environment ${known.environment} already.`, {
    hint: `Revoke it first to let it join as another: larder hosts revoke ${known.id}`,
    details: { host: known.id },
  });
}

/** Whoever has the text may hear what became of it. */
function assertOpen({ state, uses, expiresAt }: Enrolment): void {
  if (state === "open") return;
  const said = {
    used: `was used ${uses === 1 ? "once" : `${uses} times`}, as often as it may be`,
    expired: `expired at ${expiresAt}`,
    revoked: "was revoked",
  };
  throw refused(`This enrolment token ${said[state]}.`, state);
}

async function insertNamed(
  tx: Queryable,
  enrolment: Enrolment,
  { publicKey, name, platform, agentVersion }: JoinRequest,
): Promise<Id> {
  const { id: enrolmentId, environment, labels } = enrolment;
  const insert = (id: Id) => insertHost(tx, { id, environment, publicKey, labels, enrolmentId, platform, agentVersion });
  if (enrolment.hostId !== undefined) {
    if (await insert(enrolment.hostId)) return enrolment.hostId;
    throw new LarderError("E_CONFLICT", `There is a host ${enrolment.hostId} already, with another key.`, {
      hint: `Revoke it first if this is to replace it: larder hosts revoke ${enrolment.hostId}`,
      details: { host: enrolment.hostId },
    });
  }
  const base = idFrom(name);
  for (let id = base; ; id = `${base.slice(0, 55)}-${crypto.randomUUID().slice(0, 8)}`)
    if (id !== "self" && (await insert(id))) return id;
}

/** A machine's name as an id: its first part, in lower case. */
function idFrom(name = ""): Id {
  const wish = name
    .toLowerCase()
    .split(".")[0]
    ?.replace(/[^a-z0-9_-]+/g, "-")
    .replace(/^[^a-z0-9]+/, "")
    .slice(0, 64);
  return wish !== undefined && idSchema.safeParse(wish).success ? wish : "host";
}

const refused = (message: string, reason?: string): LarderError =>
  new LarderError("E_UNAUTHENTICATED", message, {
    hint: "Make a new one with `larder hosts enrol`.",
    ...(reason === undefined ? {} : { details: { reason } }),
  });
