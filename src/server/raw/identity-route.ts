import type { HostIdentity } from "../../contract/index.ts";
import { callingHost } from "../auth/calling-host.ts";
import type { Exchange } from "../http/fetch-handler.ts";
import type { Signer } from "../signing/signer.ts";

export async function getIdentity({ principal }: Exchange, { signer }: { signer: Signer }): Promise<Response> {
  const { id, environment } = callingHost(principal);
  const identity: HostIdentity = { hostId: id, environment, storeId: signer.storeId, publicKey: signer.publicKey };
  return Response.json(identity);
}
