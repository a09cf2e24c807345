import { nextKeyHeader, parseSignedTime, signedDesiredStateSchema, timeHeaders } from "../contract/for-hosts.ts";
import type { DesiredAnswer } from "./control-plane.ts";
import { misunderstood, readJson } from "./server-answer.ts";

/** `nonce`: what the time was asked for with. */
export async function readDesired(response: Response, nonce: string): Promise<DesiredAnswer> {
  const nextKeyId = response.headers.get(nextKeyHeader) ?? undefined;
  if (response.status === 304) {
    await response.body?.cancel();
    return { kind: "notModified", nextKeyId };
  }
  const parsed = signedDesiredStateSchema.safeParse(await readJson(response, "the desired state"));
  if (!parsed.success) throw misunderstood("the desired state");
  const time = parseSignedTime(response.headers.get(timeHeaders.answer));
  return {
    kind: "ok",
    signed: parsed.data,
    etag: response.headers.get("etag") ?? undefined,
    time: time && { nonce, signed: time },
    nextKeyId,
  };
}
