import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isLikeEnrolmentToken, LarderError, type Role, roles } from "../../contract/index.ts";
import { createToken, type Db, findToken, listTokens, recordAudit } from "../../db/index.ts";
import { errnoOf, type Logger, undefinedOn, writeFileAtomic } from "../../lib/index.ts";
import { createTokenText, hashOfToken } from "./token-text.ts";

export const adminTokenVariable = "LARDER_ADMIN_TOKEN";
export const adminTokenPath = (controlDirectory: string): string => join(controlDirectory, "admin-token");

/** SQLSTATE. */
const uniqueViolation = "23505";

interface AdminTokenOptions {
  db: Db;
  logger: Logger;
  controlDirectory: string;
  /** The setting's value, when it is set. */
  adminToken: string | undefined;
}

/** Sees to it that somebody can administer: the token of the setting, the one in the file, or, where the store knows no admin, a new one in the file. */
export async function ensureAdminToken({ db, logger, controlDirectory, adminToken }: AdminTokenOptions): Promise<void> {
  if (adminToken !== undefined) {
    await admitGivenToken(db, adminToken);
    return;
  }
  const path = adminTokenPath(controlDirectory);
  const kept = (await undefinedOn(["ENOENT"], readFile(path, "utf8")))?.trim();
  if (kept && (await findToken(db.query, hashOfToken(kept)))?.role === "admin") return;
  const hasAdmin = (await listTokens(db.query)).some(({ role }) => role === "admin");
  if (hasAdmin) {
    logger.warn(
      { path },
      `no valid admin token is kept here, though the store has admins: use one of theirs, or start once with ${adminTokenVariable} set to a new text`,
    );
    return;
  }
  const text = createTokenText("admin");
  // The file first: a token that is stored but that nobody knows would bar the way to another one.
  await writeFileAtomic(path, `${text}\n`, 0o600);
  await storeAdmin(db, text);
  logger.info({ path }, "made the admin token");
}

async function admitGivenToken(db: Db, text: string): Promise<void> {
  if (!/^\S{32,200}$/.test(text) || isForOtherRole(text)) {
    throw new LarderError("E_CONFIG", `${adminTokenVariable} cannot be an admin token.`, {
      hint: "Give one that nobody can guess, such as what `echo ldr_admin_$(openssl rand -hex 32)` prints.",
    });
  }
  const role = (await findToken(db.query, hashOfToken(text)))?.role ?? (await storeGivenAdmin(db, text));
  if (role === "admin") return;
  throw new LarderError(
    "E_CONFIG",
    `${adminTokenVariable} is ${role ? `a token of role ${role}` : "a token that was revoked"}.`,
    {
      hint: "Give a new text.",
    },
  );
}

const isForOtherRole = (text: string): boolean =>
  isLikeEnrolmentToken(text) || roles.some((role) => role !== "admin" && text.startsWith(`ldr_${role}_`));

/** Its role afterwards: replicas that start at once store it once. `undefined`: it is there, and revoked. */
async function storeGivenAdmin(db: Db, text: string): Promise<Role | undefined> {
  try {
    await storeAdmin(db, text);
    return "admin";
  } catch (error) {
    if (errnoOf(error) !== uniqueViolation) throw error;
    return (await findToken(db.query, hashOfToken(text)))?.role;
  }
}

async function storeAdmin(db: Db, text: string): Promise<void> {
  await db.transaction(async (tx) => {
    const { id } = await createToken(tx, { id: `tok-${randomUUID()}`, role: "admin", subject: "admin", hash: hashOfToken(text) });
    await recordAudit(tx, { actor: "system", action: "token.create", target: id, details: { role: "admin", subject: "admin" } });
  });
}
