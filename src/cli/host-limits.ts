import type { ServerConfig } from "../server/index.ts";

const traffics = { "check-ins": "checkIn", reports: "reports", blobs: "blobs", joins: "joining" } as const;

/** `check-ins=8000,reports=2000,blobs=2000,joins=50`, requests in a second; what is left out stays as it is. Throws an `Error` that says what is wrong. */
export function parseHostLimits(text: string): NonNullable<ServerConfig["limits"]> {
  const limits: NonNullable<ServerConfig["limits"]> = {};
  for (const part of text.split(",")) {
    const [, name = "", perSecond] = /^([a-z-]+)=([1-9]\d{0,8})$/.exec(part.trim()) ?? [];
    if (!Object.hasOwn(traffics, name))
      throw new Error("not requests in a second, such as check-ins=8000,reports=2000,blobs=2000,joins=50");
    limits[traffics[name as keyof typeof traffics]] = { perSecond: Number(perSecond) };
  }
  return limits;
}
