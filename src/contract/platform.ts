import { z } from "zod";
import { LarderError } from "./larder-error.ts";

/** What a host is, in npm's words: `process.platform`, `process.arch`, and the C library on Linux. */
export const platformSchema = z.object({
  os: z.string().regex(/^[a-z0-9]{1,20}$/),
  cpu: z.string().regex(/^[a-z0-9]{1,20}$/),
  libc: z.enum(["glibc", "musl"]).optional(),
});
export type Platform = z.infer<typeof platformSchema>;

/** npm's `os`, `cpu` and `libc` fields: a list of names, `!name` excludes. Absent or empty means any. */
export interface PlatformConstraint {
  os?: readonly string[] | undefined;
  cpu?: readonly string[] | undefined;
  libc?: readonly string[] | undefined;
}

export const formatPlatform = ({ os, cpu, libc }: Platform): string => [os, cpu, libc].filter(Boolean).join("-");

/** `linux-x64-glibc`, `linux-arm64-musl`, `darwin-arm64`; Linux without a C library means glibc. Throws `E_INPUT`. */
export function parsePlatform(text: string): Platform {
  const [os, cpu, libc, ...rest] = text.split("-");
  const defaulted = libc ?? (os === "linux" ? "glibc" : undefined);
  const parsed = platformSchema.safeParse({ os, cpu, ...(defaulted ? { libc: defaulted } : {}) });
  if (parsed.success && rest.length === 0) return parsed.data;
  throw new LarderError("E_INPUT", `${JSON.stringify(text)} is not a platform.`, {
    hint: "Write OS-CPU or OS-CPU-LIBC, for example linux-x64-glibc, linux-arm64-musl, darwin-arm64.",
  });
}

/** The rules of `npm-install-checks`: an exclusion refuses; a list of names must hold ours; `libc` counts on Linux only. */
export function matchesPlatform(constraint: PlatformConstraint, platform: Platform): boolean {
  return (
    listAllows(constraint.os, platform.os) &&
    listAllows(constraint.cpu, platform.cpu) &&
    (constraint.libc === undefined || constraint.libc.length === 0
      ? true
      : platform.libc !== undefined && listAllows(constraint.libc, platform.libc))
  );
}

function listAllows(list: readonly string[] | undefined, value: string): boolean {
  if (list === undefined || list.length === 0) return true;
  if (list.includes(`!${value}`)) return false;
  const wanted = list.filter((item) => !item.startsWith("!"));
  return wanted.length === 0 || wanted.includes(value) || wanted.includes("any");
}
