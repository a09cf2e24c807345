import { createHash, randomBytes } from "node:crypto";
import { formatEnrolmentToken, type Role } from "../../contract/index.ts";

const createSecret = (): string => randomBytes(32).toString("base64url");

export const createTokenText = (role: Exclude<Role, "host">): string => `ldr_${role}_${createSecret()}`;

/** It carries the id of the key that whoever joins with it must trust. */
export const createEnrolmentText = (keyId: string): string => formatEnrolmentToken(createSecret(), keyId);

/** What is stored. One fast hash is enough: 256 random bits cannot be guessed. */
export const hashOfToken = (text: string): string => createHash("sha256").update(text).digest("hex");
